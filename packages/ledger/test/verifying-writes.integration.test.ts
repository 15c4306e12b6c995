import { openRedis } from '@pinegate/runtime';
import { afterAll, expect, inject, test } from 'vitest';
import { extend, LIFE, life, NONE, openTestLedger, SCRIPT, TIMES, until } from './open-test-ledger.ts';

const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => redis.quit());

const DAY = 86_400_000;

test('a write to be verified ends its operation at once, and is read again after its window', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', life('ann'));
  const work = await t.arm('ann', 'w1');
  expect(await t.settle('ann', 'w1', work, { result: 'applied', target: LIFE, verify: true })).toBe('wait');
  expect((await t.part('a')).outcomes.granted).toBe(1);
  expect(await t.record('ann')).toMatchObject({ base: LIFE, window: t.now() + TIMES.verifyDelayMs });
  await t.claim('ann', 'w2', 'wait');
  await t.pass(TIMES.verifyDelayMs);
  await t.claim('ann', 'w3', 'verify');
  expect(await t.ledger.verified(SCRIPT, 'ann', 'w3', LIFE, t.now())).toMatchObject({ need: 'done' });
  expect((await t.record('ann')).window).toBe(0);
});

test('a write that did not last is written again, and verified again', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', life('ann'));
  await t.settle('ann', 'w1', await t.arm('ann', 'w1'), { result: 'applied', target: LIFE, verify: true });
  await t.pass(TIMES.verifyDelayMs);
  await t.claim('ann', 'w2', 'verify');
  const again = await t.ledger.verified(SCRIPT, 'ann', 'w2', NONE, t.now());
  expect(again).toMatchObject({ need: 'write', base: LIFE });
  await t.settle('ann', 'w2', again as never, { result: 'applied', target: LIFE, verify: true });
  expect((await t.record('ann')).window).toBe(t.now() + TIMES.verifyDelayMs);
});

test('an extension in the window counts from the base that was written, once', async () => {
  const t = await openTestLedger(redis);
  const first = t.now() + 10 * DAY;
  await t.submit('a', extend('ann', 10));
  await t.settle('ann', 'w1', await t.arm('ann', 'w1'), { result: 'applied', target: until(first), verify: true });
  await t.submit('b', extend('ann', 10));
  expect(await t.claim('ann', 'w2', 'write')).toMatchObject({ base: until(first), sure: false });
});
