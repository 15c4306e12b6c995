import { openRedis } from '@pinegate/runtime';
import { afterAll, beforeEach, expect, inject, test } from 'vitest';
import {
  batchRef,
  grant,
  openTestLedger,
  PERMITS,
  revoke,
  SCRIPT,
  type TestLedger,
  until,
} from './open-test-ledger.ts';

const FUTURE = Date.UTC(2040, 0, 1);

const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => redis.quit());

let at: TestLedger;
beforeEach(async () => {
  at = await openTestLedger(redis);
});

async function settleAll(name: string, token: string): Promise<void> {
  const work = await at.arm(name, token);
  await at.settle(name, token, work, { result: 'applied', target: until(FUTURE) });
}

test('a lane waits since its oldest part has had something pending, and no longer once that has settled', async () => {
  await at.submit('first', grant('anna', FUTURE), grant('bert', FUTURE));
  const begun = at.now();
  await at.pass(5_000);
  await at.submit('second', grant('carl', FUTURE), revoke('dora'));
  const second = at.now();
  expect((await at.ledger.summary()).waitingSince).toEqual({
    grant: null,
    revoke: null,
    'grant-bulk': begun,
    'revoke-bulk': second,
  });
  await settleAll('anna', 't1');
  expect((await at.ledger.summary()).waitingSince['grant-bulk']).toBe(begun);
  await settleAll('bert', 't2');
  expect((await at.ledger.summary()).waitingSince['grant-bulk']).toBe(second);
  await settleAll('carl', 't3');
  const { waitingSince, now } = await at.ledger.summary();
  expect([waitingSince['grant-bulk'], waitingSince['revoke-bulk'], now]).toEqual([null, second, at.now()]);
});

test('a single operation waits in its own lane until it has ended', async () => {
  const ref = { id: 'op', kind: 'single', lane: 'single', turn: 'key', source: 'key' } as const;
  await at.ledger.submit(ref, 0, [{ row: 1, script: SCRIPT, operation: grant('anna', FUTURE) }]);
  expect((await at.ledger.summary()).waitingSince.grant).toBe(at.now());
  const work = await at.arm('anna', 't1');
  await at.settle('anna', 't1', work, { result: 'rejected', code: 'USER_NOT_FOUND' });
  expect((await at.ledger.summary()).waitingSince.grant).toBeNull();
});

test('the open batches are those with something pending, the longest waiting first', async () => {
  await at.submit('first', grant('anna', FUTURE));
  await at.pass(1_000);
  await at.submit('second', grant('bert', FUTURE), revoke('carl'));
  const ref = { id: 'op', kind: 'single', lane: 'single', turn: 'key', source: 'key' } as const;
  await at.ledger.submit(ref, 0, [{ row: 1, script: SCRIPT, operation: grant('dora', FUTURE) }]);
  expect(await at.ledger.openBatches(10)).toEqual(['first', 'second']);
  await settleAll('anna', 't1');
  expect(await at.ledger.openBatches(10)).toEqual(['second']);
});

test('the newest failures are kept with what they belong to, twenty of them', async () => {
  const names = Array.from({ length: 25 }, (_, i) => `user${i}`);
  await at.submit('batch', ...names.map((name) => grant(name, FUTURE)));
  for (const name of names) {
    const work = await at.arm(name, `t-${name}`);
    await at.settle(name, `t-${name}`, work, { result: 'rejected', code: 'USER_NOT_FOUND' });
  }
  const recent = await at.ledger.recentFailures();
  expect(recent).toHaveLength(20);
  expect(recent[0]).toMatchObject({ username: 'user24', part: 'batch', kind: 'batch', code: 'USER_NOT_FOUND' });
  expect(recent.at(-1)?.username).toBe('user5');
});

test('what a job holds can be looked at without taking it', async () => {
  await at.submit('batch', grant('anna', FUTURE), grant('bert', FUTURE));
  expect(await at.ledger.lookAtChunks('grant-bulk', ['7'])).toEqual([null]);
  const taken = await at.ledger.take('grant-bulk', '7');
  expect(await at.ledger.lookAtChunks('grant-bulk', ['6', '7'])).toEqual([null, taken]);
  expect(taken).toMatchObject({ script: SCRIPT, action: 'grant', names: ['anna', 'bert'] });
});

test('a submit tells what ended at once: what it replaced, and what was so already', async () => {
  await at.submit('first', grant('anna', FUTURE));
  const work = await at.arm('anna', 't1');
  await at.settle('anna', 't1', work, { result: 'applied', target: until(FUTURE) });
  const again = await at.submit('second', grant('anna', FUTURE), grant('bert', FUTURE));
  expect(again.ended).toEqual([{ outcome: 'unchanged', action: 'grant', count: 1 }]);
  const third = await at.submit('third', revoke('bert'));
  expect(third.ended).toEqual([{ outcome: 'superseded', action: 'grant', count: 1 }]);
});

test('a claim says how many lapsed claims it took over', async () => {
  await at.submit('batch', grant('anna', FUTURE));
  const first = await at.ledger.claim(SCRIPT, ['anna'], 't1', PERMITS);
  expect(first.takeovers).toBe(0);
  await at.pass(60_000);
  expect((await at.ledger.claim(SCRIPT, ['anna'], 't2', PERMITS)).takeovers).toBe(1);
});

test('a cancelled batch waits no more', async () => {
  await at.submit('batch', grant('anna', FUTURE));
  await at.cancel('batch');
  expect((await at.ledger.summary()).waitingSince['grant-bulk']).toBeNull();
  expect(await at.ledger.submit(batchRef('batch'), 1, [])).toEqual({ status: 'cancelled' });
});
