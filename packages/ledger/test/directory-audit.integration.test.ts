import { openRedis } from '@pinegate/runtime';
import { afterAll, expect, inject, test } from 'vitest';
import type { AuditEntry } from '../src/index.ts';
import { activate, openTestDirectory, script } from './directory-fixture.ts';

const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => redis.quit());

const ENTRY: AuditEntry = {
  actor: 'k1',
  actorName: 'shop',
  address: '127.0.0.1',
  action: 'account.pause',
  target: 'one',
  reason: 'maintenance',
  before: { state: 'active', maxInFlight: 24 },
  after: { state: 'paused', maxInFlight: 24 },
  result: 'done',
  code: null,
};

test('an entry is read as it was written, with its time and only what differs of both states', async () => {
  const { directory } = openTestDirectory(redis);
  await directory.audit.write(ENTRY);
  const { items, next } = await directory.audit.list({}, null, 10);
  const [item] = items;
  expect(item).toEqual({
    ...ENTRY,
    id: item?.id,
    at: Number(item?.id.split('-')[0]),
    before: { state: 'active' },
    after: { state: 'paused' },
  });
  expect(next).toBeNull();
});

test('entries are listed newest first, page by page, and none is shown twice or left out', async () => {
  const { directory } = openTestDirectory(redis);
  for (let n = 0; n < 7; n++) await directory.audit.write({ ...ENTRY, target: `account-${n}` });
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await directory.audit.list({}, cursor, 3);
    seen.push(...page.items.map(({ target }) => target));
    cursor = page.next;
  } while (cursor !== null);
  expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0].map((n) => `account-${n}`));
});

test.each([
  ['actor', { actor: 'k2' }, ['b']],
  ['action', { action: 'key.create' }, ['c']],
  ['target', { target: 'a' }, ['a']],
  ['result', { result: 'refused' }, ['d']],
  ['two of them', { actor: 'k1', result: 'done' }, ['c', 'a']],
  ['nothing that is there', { actor: 'nobody' }, []],
])('a list is narrowed by %s', async (_what, filter, targets) => {
  const { directory } = openTestDirectory(redis);
  await directory.audit.write({ ...ENTRY, target: 'a' });
  await directory.audit.write({ ...ENTRY, target: 'b', actor: 'k2' });
  await directory.audit.write({ ...ENTRY, target: 'c', action: 'key.create' });
  await directory.audit.write({ ...ENTRY, target: 'd', result: 'refused', code: 'account_pending' });
  const { items } = await directory.audit.list(filter, null, 10);
  expect(items.map(({ target }) => target)).toEqual(targets);
});

test('a list is narrowed to a time, both ends included', async () => {
  const { directory, ns } = openTestDirectory(redis);
  for (const at of [1_000, 2_000, 3_000]) {
    await redis.xadd(`{${ns}}:audit`, `${at}-1`, 'entry', JSON.stringify({ ...ENTRY, target: String(at) }));
  }
  const { items } = await directory.audit.list({ from: 2_000, to: 3_000 }, null, 10);
  expect(items.map(({ at }) => at)).toEqual([3_000, 2_000]);
});

test('a filter that finds nothing for long ends its page and goes on from there', async () => {
  const { directory, ns } = openTestDirectory(redis);
  const line = redis.pipeline();
  for (let n = 1; n <= 10_001; n++) line.xadd(`{${ns}}:audit`, `${n}-1`, 'entry', JSON.stringify(ENTRY));
  line.xadd(`{${ns}}:audit`, '20000-1', 'entry', JSON.stringify({ ...ENTRY, target: 'newest' }));
  await line.exec();
  const first = await directory.audit.list({ target: 'other' }, null, 10);
  expect(first.items).toEqual([]);
  expect(first.next).not.toBeNull();
  expect(await directory.audit.list({ target: 'other' }, first.next, 10)).toEqual({ items: [], next: null });
});

test('a state of many thousand characters is not kept', async () => {
  const { directory } = openTestDirectory(redis);
  await directory.audit.write({ ...ENTRY, after: { scripts: Array.from({ length: 1_000 }, (_, n) => script(n)) } });
  const { items } = await directory.audit.list({}, null, 1);
  expect(items[0]?.after).toEqual({ tooLong: expect.any(Number) });
});

test('a cursor that is none is refused', async () => {
  const { directory } = openTestDirectory(redis);
  await expect(directory.audit.list({}, '-', 1)).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
});

test('what a check of cookies does to an account is audited, once, in the name of the system', async () => {
  const { directory } = openTestDirectory(redis);
  const postedAt = await activate(directory, 'one', script(1));
  await directory.accounts.setSession('one', 'dead', postedAt);
  await directory.accounts.setSession('one', 'dead', postedAt);
  const { items } = await directory.audit.list({ target: 'one' }, null, 10);
  expect(items).toMatchObject([
    {
      actor: 'system',
      action: 'account.session',
      before: { state: 'active' },
      after: { state: 'parked', reason: 'session_dead' },
    },
    {
      actor: 'system',
      action: 'account.session',
      before: { state: 'parked' },
      after: { state: 'active', reason: null },
    },
  ]);
});
