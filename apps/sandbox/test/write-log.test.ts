import { expect, it } from 'vitest';
import { buildWriteLog, type WriteEntry } from '../src/write-log.ts';

const ENTRY: Omit<WriteEntry, 'seq'> = {
  at: 0,
  arrivedAt: 0,
  account: 'a',
  op: 'add',
  pine_id: 'PUB;1',
  username: 'bob',
  expiration: null,
  result: 'ok',
  applied: true,
  requestId: null,
  late: false,
  overlap: false,
};

it('numbers entries from 1 and pages through them', () => {
  const log = buildWriteLog();
  for (let i = 0; i < 5; i++) log.append(ENTRY, 100);
  const first = log.read({ limit: 3 });
  expect(first).toMatchObject({ next: 3, dropped: 0, total: 5 });
  expect(first.entries.map((entry) => entry.seq)).toEqual([1, 2, 3]);
  expect(log.read({ after: first.next ?? 0, limit: 3 })).toMatchObject({
    entries: [{ seq: 4 }, { seq: 5 }],
    next: null,
  });
});

it('keeps the newest only, says how many it dropped, and follows a changed size', () => {
  const log = buildWriteLog();
  for (let i = 0; i < 1000; i++) log.append(ENTRY, 10);
  expect(log.read({}).entries.map((entry) => entry.seq)).toEqual([991, 992, 993, 994, 995, 996, 997, 998, 999, 1000]);
  expect(log.read({ after: 995 }).entries).toHaveLength(5);
  expect(log.read({})).toMatchObject({ dropped: 990, total: 1000 });
  log.append(ENTRY, 3);
  expect(log.read({}).entries.map((entry) => entry.seq)).toEqual([999, 1000, 1001]);
});

it('reads one script or one user, in any case', () => {
  const log = buildWriteLog();
  log.append({ ...ENTRY, username: 'Bob' }, 100);
  log.append({ ...ENTRY, username: 'carol' }, 100);
  log.append({ ...ENTRY, username: 'bob', pine_id: 'PUB;2' }, 100);
  expect(log.read({ username: 'BOB' }).entries.map((entry) => entry.seq)).toEqual([1, 3]);
  expect(log.read({ username: 'bob', pineId: 'PUB;2' }).entries.map((entry) => entry.seq)).toEqual([3]);
});
