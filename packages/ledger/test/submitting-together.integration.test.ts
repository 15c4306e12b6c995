import type { Operation } from '@pinegate/access';
import { openRedis } from '@pinegate/runtime';
import { afterAll, expect, inject, test } from 'vitest';
import { createRandom } from './history/event-loop.ts';
import { extend, grant, LIFE, life, openTestLedger, revoke, SCRIPT, type TestLedger } from './open-test-ledger.ts';

const FUTURE = Date.UTC(2040, 0, 1);

const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => redis.quit());

/** A single operation of the API key `key`. */
const single = (id: string) => ({ id, kind: 'single', lane: 'single', turn: 'key', source: 'key' }) as const;
const send = (t: TestLedger, id: string, operation: Operation) =>
  t.ledger.submitSingle(single(id), { row: 1, script: SCRIPT, operation });

test('single operations of one turn make one chunk, and the first of them rings for all', async () => {
  const t = await openTestLedger(redis);
  const results = await Promise.all([
    send(t, 'one', life('Ann')),
    send(t, 'two', grant('bob', FUTURE)),
    send(t, 'three', life('carl')),
  ]);
  expect(results.map((r) => (r.status === 'taken' ? r.bells : r))).toEqual([{ grant: 1 }, {}, {}]);
  expect(results.map((r) => (r.status === 'taken' ? r.record?.username : r))).toEqual(['Ann', 'bob', 'carl']);
  expect((await t.ledger.take('grant', 'job'))?.names).toEqual(['ann', 'bob', 'carl']);
  await t.settle('bob', 'w', await t.arm('bob', 'w'), { result: 'applied', target: LIFE });
  expect((await t.part('one')).pending).toBe(1);
  expect(await t.part('two')).toMatchObject({ pending: 0, operation: { username: 'bob', outcome: 'granted' } });
});

test('more of them than a chunk holds go as several calls', async () => {
  const t = await openTestLedger(redis);
  const all = await Promise.all(Array.from({ length: 120 }, (_, i) => send(t, `op${i}`, life(`user${i}`))));
  expect(all.flatMap((r) => (r.status === 'taken' && r.bells.grant ? [r.bells.grant] : []))).toEqual([1, 1, 1]);
  await t.expectCountsToAgree();
});

test('what one of them may not do keeps none of the others', async () => {
  const t = await openTestLedger(redis);
  await t.submit('full', ...Array.from({ length: 32 }, () => extend('ann', 1)));
  await send(t, 'before', life('dora'));
  await t.ledger.cancel('before');
  const results = await Promise.all([
    send(t, 'before', life('dora')),
    send(t, 'refused', extend('ann', 1)),
    send(t, 'good', life('bob')),
    send(t, 'good', life('bob')),
  ]);
  expect(results).toMatchObject([
    { status: 'cancelled' },
    { status: 'taken', refused: [1], bells: { grant: 1 } },
    { status: 'taken', refused: [], bells: {}, record: { username: 'bob', version: 1 } },
    { status: 'taken', record: null },
  ]);
  expect(await send(t, 'refused', extend('ann', 1))).toMatchObject({ status: 'taken', refused: [1] });
  await t.expectCountsToAgree();
});

test.each(Array.from({ length: 20 }, (_, seed) => seed))(
  'random ones end as one after the other (seed %i)',
  async (seed) => {
    const random = createRandom(seed);
    const below = (n: number) => Math.floor(random() * n);
    const pick = <T>(list: readonly T[]) => list[below(list.length)] as T;
    const [together, apart] = [await openTestLedger(redis), await openTestLedger(redis)];
    const names = ['ann', 'Bob', 'CARL', 'dora'];
    const make = [life, revoke, (n: string) => grant(n, FUTURE), (n: string) => extend(n, 1 + below(9))];
    const operations = Array.from({ length: 30 }, () => pick(make)(pick(names)));
    for (const t of [together, apart])
      await t.settle('ann', 'w', await armedFirst(t), { result: 'applied', target: LIFE });
    await Promise.all(operations.map((operation, i) => send(together, `op${i}`, operation)));
    for (const [i, operation] of operations.entries()) await send(apart, `op${i}`, operation);
    for (const { username } of operations)
      expect(await together.record(username)).toEqual(await apart.record(username));
    for (const i of operations.keys()) expect(await together.part(`op${i}`)).toEqual(await apart.part(`op${i}`));
    await together.expectCountsToAgree();
  },
);

async function armedFirst(t: TestLedger) {
  await t.submit('first', life('ann'));
  return t.arm('ann', 'w');
}
