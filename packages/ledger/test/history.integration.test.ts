import { closeRedis, openRedis } from '@pinegate/runtime';
import { afterAll, expect, inject, test } from 'vitest';
import type { HistoryRecord } from '../src/index.ts';
import {
  extend,
  grant,
  LIFE,
  life,
  NONE,
  openTestLedger,
  revoke,
  SCRIPT,
  type TestLedger,
  until,
} from './open-test-ledger.ts';
import { START } from './simulated-clock.ts';

const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => closeRedis(redis));

const DATE = START + 90 * 86_400_000;

async function historyOf({ ledger }: TestLedger, name: string, limit = 100): Promise<HistoryRecord[]> {
  const all: HistoryRecord[] = [];
  let cursor: string | null = null;
  do {
    const page = await ledger.readHistory(SCRIPT, name, cursor, limit);
    expect(page.items.length).toBeLessThanOrEqual(limit);
    all.push(...page.items);
    cursor = page.next;
  } while (cursor !== null);
  return all;
}

const brief = (records: readonly HistoryRecord[]) =>
  records.map(({ version, outcome, code }) => [version, outcome, code]);

test('an operation is in the history once it has ended, with who asked for what and what came of it', async () => {
  const world = await openTestLedger(redis);
  await world.submit('batch-1', grant('Alice', DATE));
  expect(await historyOf(world, 'alice')).toEqual([]);
  const work = await world.arm('alice', 't1');
  await world.settle('alice', 't1', work, { result: 'applied', target: until(DATE), outcome: 'granted' });
  const [record, ...others] = await historyOf(world, 'ALICE');
  expect(others).toEqual([]);
  expect(record).toEqual({
    at: expect.any(Number),
    version: 1,
    asked: { kind: 'set', expiresAt: DATE },
    outcome: 'granted',
    code: null,
    source: 'key',
    kind: 'batch',
    id: 'batch-1',
  });
});

test('superseded, unchanged, cancelled, rejected and failed operations are there, newest first', async () => {
  const world = await openTestLedger(redis);
  await world.submit('b', grant('bob', DATE), life('bob'));
  let work = await world.arm('bob', 't1');
  await world.settle('bob', 't1', work, { result: 'applied', target: LIFE, outcome: 'granted' });
  await world.submit('b', life('bob'), revoke('bob'));
  work = await world.arm('bob', 't2');
  await world.settle('bob', 't2', work, { result: 'rejected', code: 'foreign_script' });
  await world.submit('c', revoke('bob'));
  await world.cancel('c');
  expect(brief(await historyOf(world, 'bob'))).toEqual([
    [5, 'cancelled', null],
    [4, 'rejected', 'foreign_script'],
    [3, 'unchanged', null],
    [2, 'granted', null],
    [1, 'superseded', null],
  ]);
});

test('each kind of operation says what it asked for', async () => {
  const world = await openTestLedger(redis);
  const duration = { amount: 30, unit: 'D' } as const;
  const forDays = { ...life('eve'), until: { kind: 'duration', duration } } as const;
  await world.submit(
    'b',
    grant('eve', DATE),
    life('eve'),
    forDays,
    revoke('eve'),
    extend('eve', 2, 'M'),
    revoke('eve'),
  );
  await world.cancel('b');
  expect((await historyOf(world, 'eve')).map(({ asked }) => asked)).toEqual([
    { kind: 'revoke' },
    { kind: 'extend', duration: { amount: 2, unit: 'M' } },
    { kind: 'revoke' },
    { kind: 'set-for', duration },
    { kind: 'set', expiresAt: null },
    { kind: 'set', expiresAt: DATE },
  ]);
});

test('a redriven operation ends again under its new version, one that is outlived as superseded', async () => {
  const world = await openTestLedger(redis);
  const fail = async (name: string) => {
    for (let n = 1; n <= 5; n++) {
      const work = await world.arm(name, `try-${n}`);
      await world.settle(name, `try-${n}`, work, { result: 'uncertain', sent: false });
      await world.pass(13_000);
    }
    const { version } = await world.claim(name, 'last', 'final');
    const read = await world.ledger.final(SCRIPT, name, 'last', LIFE, NONE, world.now());
    expect(read.ended).toHaveLength(1);
    return version;
  };
  await world.submit('b', life('one'));
  await fail('one');
  await world.ledger.redriveAccess(SCRIPT, 'one');
  const work = await world.arm('one', 'again');
  await world.settle('one', 'again', work, { result: 'applied', target: LIFE, outcome: 'granted' });
  expect(brief(await historyOf(world, 'one'))).toEqual([
    [2, 'granted', null],
    [1, 'failed', 'timeout'],
  ]);
});

test('pages of any size show every operation once, also where one call ended many', async () => {
  const world = await openTestLedger(redis);
  const rows = Array.from({ length: 150 }, (_, n) => life(n % 3 === 0 ? 'often' : `user-${n}`));
  await world.submit('b', ...rows);
  await world.cancel('b');
  for (const limit of [1, 7, 50]) {
    const versions = (await historyOf(world, 'often', limit)).map(({ version }) => version);
    expect(versions).toEqual(Array.from({ length: 50 }, (_, n) => 50 - n));
  }
  expect(await historyOf(world, 'user-1')).toHaveLength(1);
});

test('names that begin or end alike are not mixed up', async () => {
  const world = await openTestLedger(redis);
  await world.submit('b', life('bob'), life('bobby'), life('abob'), life('bob.1'));
  await world.cancel('b');
  for (const name of ['bob', 'bobby', 'abob', 'bob.1']) expect(await historyOf(world, name)).toHaveLength(1);
});

test('a page that begins before operations end still shows none twice', async () => {
  const world = await openTestLedger(redis);
  await world.submit('b', life('x'), life('x'), life('x'));
  await world.cancel('b');
  const first = await world.ledger.readHistory(SCRIPT, 'x', null, 2);
  await world.submit('c', revoke('x'));
  await world.cancel('c');
  const second = await world.ledger.readHistory(SCRIPT, 'x', first.next, 2);
  expect(brief([...first.items, ...second.items]).map(([version]) => version)).toEqual([3, 2, 1]);
});

test('the last 100,000 operations are kept, and few more', async () => {
  const world = await openTestLedger(redis);
  const line = '\n1:filler 1 1 l 1 ';
  const full = line.repeat(64);
  const pipeline = redis.pipeline();
  for (let n = 0; n < 1_600; n++) pipeline.xadd(`${world.tag}history`, '*', 'n', n * 64, 'p', 'b shop old', 'o', full);
  pipeline.hset(`${world.tag}ledger`, 'history', 1_600 * 64);
  await pipeline.exec();
  const rows = Array.from({ length: 1_000 }, (_, n) => life(`user-${n}`));
  await world.submit('b', ...rows);
  await world.cancel('b');
  const [oldest] = await redis.xrange(`${world.tag}history`, '-', '+', 'COUNT', 1);
  const kept = Number(await redis.hget(`${world.tag}ledger`, 'history')) - Number(oldest?.[1][1]);
  expect(kept).toBeGreaterThanOrEqual(100_000);
  expect(kept).toBeLessThan(101_100);
  expect(await historyOf(world, 'user-0')).toHaveLength(1);
});
