import { openRedis } from '@pinegate/runtime';
import { afterAll, expect, inject, test } from 'vitest';
import { batchRef, extend, LIFE, life, NONE, openTestLedger, revoke, SCRIPT, TIMES } from './open-test-ledger.ts';

const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => redis.quit());

const validated = { ...batchRef('v'), validate: true };
const row = (operation: ReturnType<typeof life>) => [{ row: 1, script: SCRIPT, operation }];

test('a claim says that a user is to be looked up where a part asked for it and nothing is known', async () => {
  const t = await openTestLedger(redis);
  await t.ledger.submit(validated, 0, row(life('ann')));
  expect(await t.claim('ann', 'w1', 'write')).toMatchObject({ validate: true });
  await t.submit('plain', life('bob'));
  expect(await t.claim('bob', 'w2', 'write')).toMatchObject({ validate: false });
});

test('a spelling that upstream has accepted, and a sure member, need no look-up', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', life('ann'), life('bob'));
  for (const [name, spelling] of [
    ['ann', 'Ann'],
    ['bob', undefined],
  ] as const) {
    const applied = { result: 'applied', target: LIFE, ...(spelling === undefined ? {} : { spelling }) } as const;
    await t.settle(name, `w-${name}`, await t.arm(name, `w-${name}`), applied);
  }
  const rows = ['ann', 'bob'].map((name, i) => ({ row: i + 1, script: SCRIPT, operation: extend(name, 1) }));
  await t.ledger.submit(validated, 0, rows);
  for (const name of ['ann', 'bob']) expect(await t.claim(name, 'w3', 'write')).toMatchObject({ validate: false });
  await t.pass(TIMES.leaseMs + TIMES.freshMs);
  expect(await t.claim('bob', 'w4', 'write')).toMatchObject({ validate: true });
});

test('who is surely absent is not looked up to be revoked once more', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', revoke('ann'));
  await t.settle('ann', 'w1', await t.arm('ann', 'w1'), { result: 'applied', target: NONE, outcome: 'revoked' });
  await t.submit('b', life('ann'));
  await t.ledger.submit(validated, 0, row(revoke('ann')));
  expect(await t.claim('ann', 'w2', 'write')).toMatchObject({ validate: false });
});

test('refused after its look-up, an operation ends rejected, whatever came with it, and the base is untouched', async () => {
  const t = await openTestLedger(redis);
  await t.ledger.submit(validated, 0, row(life('ghost')));
  const work = await t.claim('ghost', 'w1', 'write');
  await t.settle('ghost', 'w1', work, { result: 'rejected', code: 'USER_NOT_FOUND', sent: false });
  expect((await t.part('v')).outcomes.rejected).toBe(1);
  expect(await t.record('ghost')).toMatchObject({ base: { state: 'unknown' }, chain: [], window: 0 });
});
