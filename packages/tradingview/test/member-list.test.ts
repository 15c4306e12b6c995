import { describe, expect, it } from 'vitest';
import { findMember, type MemberPage, parseNext, readAllMembers } from '../src/member-list.ts';

const cursor = (name: string) => `?limit=30&c=${name}`;

function member(username: string, expiresAt: number | null = null) {
  return { username, expiresAt };
}

/** Pages by the cursor they are asked for with; '' is the first. */
function pagesOf(pages: Record<string, MemberPage>) {
  const asked: (string | null)[] = [];
  const fetchPage = async (at: string | null) => {
    asked.push(at);
    const page = pages[at ?? ''];
    if (page === undefined) throw new Error(`no page ${at}`);
    return page;
  };
  return { asked, fetchPage };
}

describe('the whole list', () => {
  it('follows the pages to the end and shows each of them', async () => {
    const { fetchPage } = pagesOf({
      '': { members: [member('a')], next: cursor('1') },
      [cursor('1')]: { members: [member('b', 5)], next: null },
    });
    const seen: (string | null)[] = [];
    const list = await readAllMembers(fetchPage, null, ({ next }) => void seen.push(next));
    expect(list).toEqual({ members: [member('a'), member('b', 5)], complete: true });
    expect(seen).toEqual([cursor('1'), null]);
  });

  it('goes on from a cursor', async () => {
    const { fetchPage, asked } = pagesOf({ [cursor('1')]: { members: [], next: null } });
    await readAllMembers(fetchPage, cursor('1'), undefined);
    expect(asked).toEqual([cursor('1')]);
  });

  it('waits for onPage before it asks for the next page, and ends where that throws', async () => {
    const { fetchPage, asked } = pagesOf({ '': { members: [], next: cursor('1') } });
    const walking = readAllMembers(fetchPage, null, async () => Promise.reject(new Error('no permit')));
    await expect(walking).rejects.toThrow('no permit');
    expect(asked).toEqual([null]);
  });

  it('is incomplete where a cursor comes back, even under another query', async () => {
    const { fetchPage, asked } = pagesOf({
      '': { members: [member('a')], next: cursor('1') },
      [cursor('1')]: { members: [member('b')], next: '?c=1&limit=20' },
    });
    expect(await readAllMembers(fetchPage, null, undefined)).toEqual({
      members: [member('a'), member('b')],
      complete: false,
      reason: 'repeated_cursor',
    });
    expect(asked).toHaveLength(2);
  });

  it('is incomplete where it never ends', async () => {
    let asked = 0;
    const endless = async () => ({ members: [], next: cursor(String(++asked)) });
    expect(await readAllMembers(endless, null, undefined)).toMatchObject({ complete: false, reason: 'too_many_pages' });
  });

  it('counts a user on two pages once, as last seen', async () => {
    const { fetchPage } = pagesOf({
      '': { members: [member('Ann', 1)], next: cursor('1') },
      [cursor('1')]: { members: [member('ann', 2)], next: null },
    });
    expect((await readAllMembers(fetchPage, null, undefined)).members).toEqual([member('ann', 2)]);
  });
});

describe('one user', () => {
  it('is found by the whole name in any case, behind longer names and on a later page', async () => {
    const { fetchPage, asked } = pagesOf({
      '': { members: [member('ann2'), member('joann')], next: cursor('1') },
      [cursor('1')]: { members: [member('Ann', 7)], next: cursor('2') },
    });
    expect(await findMember(fetchPage, 'aNN', undefined)).toEqual(member('Ann', 7));
    expect(asked).toHaveLength(2);
  });

  it('is absent only where the list ended', async () => {
    const ended = pagesOf({ '': { members: [member('ann2')], next: null } });
    expect(await findMember(ended.fetchPage, 'ann', undefined)).toBeNull();
    const circling = pagesOf({
      '': { members: [], next: cursor('1') },
      [cursor('1')]: { members: [], next: cursor('1') },
    });
    await expect(findMember(circling.fetchPage, 'ann', undefined)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'paging',
    });
  });

  it('calls onPage only before another page is asked for', async () => {
    const { fetchPage } = pagesOf({
      '': { members: [], next: cursor('1') },
      [cursor('1')]: { members: [member('ann')], next: cursor('2') },
    });
    let pages = 0;
    await findMember(fetchPage, 'ann', () => void pages++);
    expect(pages).toBe(1);
  });
});

describe('next', () => {
  it.each([
    [null, null],
    [undefined, null],
    ['', null],
    ['/pine_perm/list_users/?limit=30&c=x%3D', '?limit=30&c=x%3D'],
    ['https://elsewhere.example/pine_perm/list_users/?c=x', '?c=x'],
    ['?c=x', '?c=x'],
    ['/accounts/signin/?c=x', undefined],
    ['/pine_perm/list_users/', undefined],
    ['http://[', undefined],
  ])('%j is the cursor %j', (next, expected) => {
    expect(parseNext(next)).toBe(expected);
  });
});
