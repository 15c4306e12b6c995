import type { Account } from '@pinegate/ledger';
import { expect, test } from 'vitest';
import { buildSessionPatrol } from '../src/session-patrol.ts';

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

type Given = { state?: Account['state']; postedAt?: number | null; checkedAt?: number | null };

function account(id: string, { state = 'active', postedAt = 0, checkedAt = null }: Given): Account {
  return { id, state, session: { state: 'ok', postedAt, checkedAt } } as Account;
}

/** A patrol over these accounts, ten seconds a pass. */
function open(accounts: readonly Account[]) {
  const time = { now: 0 };
  const asked: string[] = [];
  const old: string[] = [];
  const patrol = buildSessionPatrol({
    accounts: async () => accounts,
    now: async () => time.now,
    ask: async (id) => void asked.push(id),
    events: { sessionOld: (id) => old.push(id) },
    monotonic: () => time.now,
  });
  const passes = async (from: number, count: number) => {
    asked.length = 0;
    for (let i = 0; i < count; i++) {
      time.now = from + i * 10_000;
      await patrol();
    }
    return [...asked];
  };
  return { passes, old };
}

test('has a session checked once a quarter of an hour', async () => {
  const { passes } = open([account('a', { checkedAt: 0 })]);
  expect(await passes(14 * MINUTE, 5)).toEqual([]);
  expect(await passes(15 * MINUTE, 5)).toEqual(['a']);
});

test('asks soon again about cookies whose check was lost', async () => {
  const { passes } = open([account('a', { postedAt: 10 * MINUTE })]);
  expect(await passes(10 * MINUTE, 3)).toEqual([]);
  expect(await passes(10 * MINUTE + 30_000, 1)).toEqual(['a']);
});

test('asks about a parked account too, and leaves a paused one and one without cookies alone', async () => {
  const { passes } = open([
    account('parked', { state: 'parked', checkedAt: 0 }),
    account('paused', { state: 'paused', checkedAt: 0 }),
    account('none', { postedAt: null }),
  ]);
  expect(await passes(20 * MINUTE, 3)).toEqual(['parked']);
});

test('spreads the checks when many are due at once, oldest first', async () => {
  const { passes } = open(Array.from({ length: 90 }, (_, i) => account(`a-${i}`, { checkedAt: 90 - i })));
  expect(await passes(20 * MINUTE, 1)).toEqual(['a-89', 'a-88']);
  expect(await passes(20 * MINUTE + 10_000, 44)).toHaveLength(88);
});

test('warns of old cookies once a day', async () => {
  const { passes, old } = open([account('a', { checkedAt: 30 * DAY })]);
  await passes(19 * DAY, 10);
  expect(old).toEqual([]);
  await passes(20 * DAY, 10);
  expect(old).toEqual(['a']);
  await passes(21 * DAY, 10);
  expect(old).toEqual(['a', 'a']);
});
