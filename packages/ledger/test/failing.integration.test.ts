import { openRedis } from '@pinegate/runtime';
import { afterAll, expect, inject, test } from 'vitest';
import {
  batchRef,
  extend,
  grant,
  LIFE,
  life,
  NONE,
  openTestLedger,
  PERMITS,
  revoke,
  SCRIPT,
  type TestLedger,
  TIMES,
  until,
} from './open-test-ledger.ts';

const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => redis.quit());

const DAY = 86_400_000;
const U = TIMES.verifyDelayMs;

async function lapse(t: TestLedger, times: number) {
  for (let i = 1; i <= times; i += 1) {
    await t.arm('ann', `lapsed${i}`);
    await t.pass(TIMES.leaseMs);
  }
}

/** Spends the tries of what is in the chain and reads `found` at the end. */
async function failTries(t: TestLedger, read = NONE) {
  for (let i = 1; i <= TIMES.maxTries; i += 1) {
    const token = `try${t.now()}.${i}`;
    await t.settle('ann', token, await t.arm('ann', token), { result: 'uncertain' });
    await t.pass(1_000);
  }
  await t.pass(U);
  const token = `final${t.now()}`;
  await t.claim('ann', token, 'final');
  return t.ledger.final(SCRIPT, 'ann', token, LIFE, read, t.now());
}

test('a key whose claims lapse five times fails as POISON, its base unknown, and is not read before the window ends', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', extend('ann', 1));
  await lapse(t, 4);
  await t.claim('ann', 'fifth', 'write');
  await t.submit('b', extend('ann', 2));
  await t.pass(TIMES.leaseMs);
  const lapsed = t.now();
  expect(await t.claim('ann', 'w', 'wait')).toMatchObject({ at: lapsed + U });
  expect((await t.ledger.listFailures('a', null, 10)).items).toMatchObject([
    { outcome: 'failed', code: 'POISON', username: 'ann' },
  ]);
  expect(await t.record('ann')).toMatchObject({ base: { state: 'unknown' }, window: lapsed + U, lapses: 0 });
  expect((await t.part('b')).pending).toBe(1);
  await t.pass(U);
  await t.claim('ann', 'w', 'base');
  await t.expectCountsToAgree();
});

test('what failed is told with the error of its last try, and a success forgets it', async () => {
  const t = await openTestLedger(redis);
  const uncertain = async (code: string) => {
    const token = `${code}${t.now()}`;
    await t.settle('ann', token, await t.arm('ann', token), { result: 'uncertain', code });
    await t.pass(1_000);
  };
  await t.submit('a', life('ann'));
  await uncertain('FIRST');
  await t.settle('ann', 'ok', await t.arm('ann', 'ok'), { result: 'applied', target: LIFE });
  await t.pass(U);
  await t.submit('b', revoke('ann'));
  for (let i = 1; i < TIMES.maxTries; i += 1) await uncertain('BEFORE');
  await uncertain('LAST');
  await t.pass(U);
  await t.claim('ann', 'final', 'final');
  await t.ledger.final(SCRIPT, 'ann', 'final', NONE, LIFE, t.now());
  expect((await t.ledger.listFailures('b', null, 10)).items).toMatchObject([{ outcome: 'failed', code: 'LAST' }]);
});

test('from two lapses on a key that is due rings alone', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', life('ann'), life('bob'), life('cid'));
  await t.ledger.take('grant-bulk', 'j');
  await t.arm('bob', 'w');
  await t.arm('cid', 'w');
  await lapse(t, 2);
  await t.arm('ann', 'third');
  await t.pass(TIMES.leaseMs);
  expect(await t.ledger.sweepDue(10)).toMatchObject({ moved: 3, bells: { 'grant-bulk': 2 } });
  const taken = [await t.ledger.take('grant-bulk', 'j1'), await t.ledger.take('grant-bulk', 'j2')];
  expect(taken.map((c) => c?.names).sort((a, b) => (a?.length ?? 0) - (b?.length ?? 0))).toEqual([
    ['ann'],
    ['bob', 'cid'],
  ]);
});

test('a key that lapsed twice is not claimed among others, also by a job that got its chunk back', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', life('ann'), life('bob'));
  await lapse(t, 2);
  await t.arm('ann', 'third');
  await t.pass(TIMES.leaseMs);
  const { keys } = await t.ledger.claim(SCRIPT, ['ann', 'bob'], 'both', PERMITS);
  expect(keys).toMatchObject([
    { name: 'ann', need: 'wait', at: t.now() },
    { name: 'bob', need: 'write' },
  ]);
  expect(await t.ledger.sweepDue(10)).toMatchObject({ moved: 1 });
  await t.claim('ann', 'alone', 'write');
});

test('of the keys that lapsed twice one is in hand at a time, and the next when it has settled', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', life('ann'), life('bob'));
  for (const token of ['first', 'second']) {
    await t.arm('ann', `${token}a`);
    await t.arm('bob', `${token}b`);
    await t.pass(TIMES.leaseMs);
  }
  const work = await t.arm('ann', 'alone');
  expect(await t.claim('bob', 'beside', 'wait')).toMatchObject({ at: t.now() + 1_000 });
  await t.settle('ann', 'alone', work, { result: 'applied', target: LIFE });
  await t.claim('bob', 'after', 'write');
});

test('a failed operation that is redriven enters the chain again with its own accept time and its counts move', async () => {
  const t = await openTestLedger(redis);
  const accepted = (await t.submit('a', extend('ann', 1))).acceptedAt;
  await failTries(t);
  expect(await t.part('a')).toMatchObject({ pending: 0, outcomes: { failed: 1 } });
  await t.pass(DAY);
  expect(await t.ledger.redrivePart('a')).toMatchObject({
    redriven: 1,
    superseded: 0,
    more: 0,
    bells: { 'grant-bulk': 1 },
  });
  expect(await t.part('a')).toMatchObject({ pending: 1, total: 1, settledAt: null, outcomes: { failed: 0 } });
  expect((await t.record('ann')).chain).toMatchObject([{ kind: 'extend', version: 2, acceptedAt: accepted }]);
  expect(await t.ledger.redrivePart('a')).toMatchObject({ redriven: 0, superseded: 0 });
  await t.expectCountsToAgree();
});

test('a failed operation after which an absolute one was accepted becomes superseded when it is redriven', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', extend('ann', 1));
  await failTries(t);
  await t.submit('b', life('ann'));
  expect(await t.ledger.redriveAccess(SCRIPT, 'ann')).toBeNull();
  expect(await t.ledger.redrivePart('a')).toMatchObject({ redriven: 0, superseded: 1 });
  expect((await t.part('a')).outcomes).toMatchObject({ failed: 0, superseded: 1 });
  expect((await t.record('ann')).chain).toMatchObject([{ kind: 'set' }]);
  await t.expectCountsToAgree();
});

test('a failed operation becomes superseded also where what was accepted later was so already', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', extend('ann', 1));
  await failTries(t);
  await t.submit('b', revoke('ann'));
  expect((await t.part('b')).outcomes.unchanged).toBe(1);
  expect(await t.ledger.redrivePart('a')).toMatchObject({ redriven: 0, superseded: 1 });
  expect((await t.record('ann')).chain).toEqual([]);
  await t.expectCountsToAgree();
});

test('a redrive does not pass what was accepted before the failure and is still pending', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', grant('ann', t.now() + DAY));
  for (let i = 1; i <= TIMES.maxTries; i += 1) {
    await t.settle('ann', `w${i}`, await t.arm('ann', `w${i}`), { result: 'uncertain' });
    await t.pass(1_000);
  }
  await t.submit('b', revoke('ann'));
  await t.pass(U);
  await t.claim('ann', 'final', 'final');
  await t.ledger.final(SCRIPT, 'ann', 'final', until(t.now() + DAY), NONE, t.now());
  expect(await t.ledger.redrivePart('a')).toMatchObject({ redriven: 0, superseded: 1 });
  expect((await t.record('ann')).chain).toMatchObject([{ kind: 'revoke' }]);
});

test('of two absolute operations that failed together only the later one enters again', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', grant('ann', t.now() + 5 * DAY));
  await t.arm('ann', 'w');
  await t.submit('a', life('ann'));
  await t.pass(TIMES.leaseMs);
  await failTries(t);
  expect((await t.part('a')).outcomes.failed).toBe(2);
  expect(await t.ledger.redrivePart('a')).toMatchObject({ redriven: 1, superseded: 1 });
  expect((await t.record('ann')).chain).toMatchObject([{ kind: 'set', expiresAt: null }]);
  await t.expectCountsToAgree();
});

test('an operation and the extension of it that failed together enter again in their order', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', grant('ann', t.now() + 5 * DAY), extend('ann', 1));
  await failTries(t);
  expect(await t.ledger.redriveAccess(SCRIPT, 'Ann')).toMatchObject({ redriven: 2, superseded: 0 });
  expect((await t.record('ann')).chain.map((c) => c.kind)).toEqual(['set', 'extend']);
  const chunks = [await t.ledger.take('grant-bulk', 'accepted'), await t.ledger.take('grant-bulk', 'redriven')];
  expect(chunks.map((c) => c?.names)).toEqual([['ann'], ['ann']]);
  await t.expectCountsToAgree();
});

test('claim drops what a cancelled part has not armed yet, before the cancel itself has got there', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', extend('ann', 1));
  await t.submit('b', extend('ann', 2));
  await t.ledger.cancel('a');
  const { keys, ended } = await t.ledger.claim(SCRIPT, ['ann'], 'w', { grant: 1, revoke: 1, list: 1 });
  expect(ended).toMatchObject([{ outcome: 'cancelled' }]);
  expect(keys).toMatchObject([{ need: 'base', version: 3, chain: [{ version: 2 }] }]);
  await t.expectCountsToAgree();
});

test('a cancel of more than a thousand keys goes on in bounded steps and takes out all of them', async () => {
  const t = await openTestLedger(redis);
  for (let i = 0; i < 5; i += 1) {
    await t.submit('a', ...Array.from({ length: 500 }, (_, n) => life(`user${i * 500 + n}`)));
  }
  await t.submit('b', extend('user7', 1));
  await t.ledger.cancel('a');
  let steps = 0;
  let ended = 0;
  for (let left = 1; left > 0; steps += 1) {
    const step = await t.ledger.cancelSome();
    expect(step.ended.length).toBeLessThan(1_200);
    ended += step.ended.length;
    left = step.left;
  }
  expect(steps).toBeGreaterThanOrEqual(3);
  expect(ended).toBe(2_500);
  expect(await t.part('a')).toMatchObject({ pending: 0, outcomes: { cancelled: 2_500 } });
  expect((await t.record('user7')).chain).toHaveLength(1);
  expect(await t.ledger.submit(batchRef('a'), 2_500, [{ row: 2_501, script: SCRIPT, operation: life('x') }])).toEqual({
    status: 'cancelled',
  });
});

test('a list that cannot be read for a verification is not asked for again at once', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', life('ann'));
  await t.settle('ann', 'w1', await t.arm('ann', 'w1'), { result: 'uncertain' });
  await t.settle('ann', 'w2', await t.arm('ann', 'w2'), { result: 'applied', target: LIFE });
  await t.pass(U);
  const work = await t.claim('ann', 'v', 'verify');
  await t.settle('ann', 'v', work, { result: 'unapplied', sent: false, retryMs: 7_000 });
  expect((await t.ledger.summary()).nextDue).toBe(t.now() + 7_000);
});

test('a verification whose write is refused for good leaves nothing known and is not repeated', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', life('ann'));
  await t.settle('ann', 'w1', await t.arm('ann', 'w1'), { result: 'uncertain' });
  await t.settle('ann', 'w2', await t.arm('ann', 'w2'), { result: 'applied', target: LIFE });
  await t.pass(U);
  const work = await t.claim('ann', 'v', 'verify');
  expect((await t.ledger.verified(SCRIPT, 'ann', 'v', NONE, t.now())).need).toBe('write');
  expect(await t.settle('ann', 'v', work, { result: 'rejected', code: 'no_such_user' })).toBe('done');
  expect(await t.record('ann')).toMatchObject({ base: { state: 'unknown' }, window: 0 });
  expect((await t.part('a')).outcomes.granted).toBe(1);
});

test('an operation whose chain is full stays failed when it is redriven, and goes in once there is room', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', extend('ann', 1));
  await failTries(t);
  await t.submit('b', ...Array.from({ length: 32 }, () => extend('ann', 1)));
  expect(await t.ledger.redrivePart('a')).toMatchObject({ redriven: 0, superseded: 0, refused: 1, more: 0 });
  expect(await t.ledger.redriveAccess(SCRIPT, 'ann')).toMatchObject({ redriven: 0, superseded: 0, refused: 1 });
  expect(await t.part('a')).toMatchObject({ pending: 0, outcomes: { failed: 1, superseded: 0 } });
  await t.cancel('b');
  expect(await t.ledger.redriveAccess(SCRIPT, 'ann')).toMatchObject({ redriven: 1, refused: 0 });
  await t.expectCountsToAgree();
});

test('what failed of a cancelled batch does not come back by its access', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', extend('ann', 1));
  await failTries(t);
  await t.cancel('a');
  expect(await t.ledger.redriveAccess(SCRIPT, 'ann')).toBeNull();
  expect(await t.part('a')).toMatchObject({ pending: 0, outcomes: { failed: 1 } });
});
