import { expect, test } from 'vitest';
import { readMembers } from '../src/read-members.ts';

const page = (names: readonly string[], next: string | null) => ({
  members: names.map((username) => ({ username, expiresAt: null })),
  next: next === null ? null : `?c=${next}&limit=30`,
});

function pages(...all: ReturnType<typeof page>[]) {
  const asked: (string | null)[] = [];
  const rest = [...all];
  const fetchPage = async (cursor: string | null) => {
    asked.push(cursor);
    return rest.shift() ?? page([], null);
  };
  return { asked, fetchPage };
}

test('a list is read page by page to its end, and each page is told', async () => {
  const { asked, fetchPage } = pages(page(['Ann', 'bob'], 'x'), page([], 'y'), page(['cid'], null));
  const told: object[] = [];
  const members = await readMembers(fetchPage, async (reading) => void told.push(reading));
  expect([...members.keys()]).toEqual(['ann', 'bob', 'cid']);
  expect(members.get('ann')?.username).toBe('Ann');
  expect(asked).toEqual([null, '?c=x&limit=30', '?c=y&limit=30']);
  expect(told).toEqual([
    { pages: 1, members: 2 },
    { pages: 2, members: 2 },
    { pages: 3, members: 3 },
  ]);
});

test('a list whose pages lead back is refused', async () => {
  const { fetchPage } = pages(page(['a'], 'x'), page(['b'], 'y'), page(['c'], 'x'));
  await expect(readMembers(fetchPage, async () => {})).rejects.toMatchObject({ code: 'list_repeats' });
});

test('a list that shows somebody twice has changed meanwhile, and is refused', async () => {
  const { fetchPage } = pages(page(['a', 'b'], 'x'), page(['B', 'c'], null));
  await expect(readMembers(fetchPage, async () => {})).rejects.toMatchObject({ code: 'list_changed' });
});
