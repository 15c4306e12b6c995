import { waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { grants } from './contested.ts';
import { type FaultStack, openFaultStack, SCRIPT } from './open-fault-stack.ts';

const LAPSES = 5;

let stack: FaultStack;

beforeAll(async () => {
  // Each worker that has the poison in hand dies before it gives its request up, and after it has sent those of the neighbours.
  const env = {
    NODE_OPTIONS: '--import=./tests/stack/die-of-user.ts',
    DIE_OF: 'poison_7',
    DIE_AFTER_MS: '1500',
    REQUEST_DEADLINE_MS: '2000',
    CLAIM_LEASE_MS: '6000',
    VERIFY_DELAY_MS: '1000',
  };
  stack = await openFaultStack('poisoned', { env });
});
afterAll(() => stack?.stop());

test('a job without anything in it, and one that the queue has forgotten, stop nobody', async () => {
  const { redisClient: redis } = stack;
  const lane = '{pinegate:alpha}:grant';
  await redis.hset(`${lane}:nonsense`, { name: '\u0000', data: '{"cut":', opts: '{}', timestamp: '0' });
  await redis.lpush(`${lane}:wait`, 'nonsense', 'forgotten');
  await redis.zadd(`${lane}:marker`, 0, '0');
  await stack.sendBatch(grants('flows', 10));
  await stack.settled();
});

test('a key that kills its worker each time ends failed as poison after five, is listed, and takes no neighbour along', async () => {
  await stack.planFault('hang', { endpoint: 'add', username: 'poison_7', count: 100 });
  const batch = await stack.sendBatch(grants('poison', 20));
  for (let death = 1; death <= LAPSES; death++) {
    expect(await stack.workers.at(-1)?.exited).toEqual({ code: null, signal: 'SIGKILL' });
    if (death === 2) await expectNeighboursDone();
    await stack.startWorker();
  }
  await stack.settled();
  const body = await stack.read(`/v1/batches/${batch}`);
  // Those whose first request landed before the kill are found there by the second.
  const { granted, changed, failed } = body.outcomes;
  expect([granted + changed, failed]).toEqual([19, 1]);
  const failures = await stack.call('GET', `/v1/batches/${batch}/failures`);
  expect(failures.body.items).toMatchObject([{ username: 'poison_7', outcome: 'failed', code: 'POISON' }]);
  await stack.expectRight();
});

async function expectNeighboursDone(): Promise<void> {
  const members = await waitFor(
    async () => {
      const seen = await stack.members(SCRIPT);
      return [...seen.keys()].filter((name) => name.startsWith('poison_')).length === 19 ? seen : undefined;
    },
    { what: 'the neighbours of the poisoned key' },
  );
  expect(members.has('poison_7')).toBe(false);
}
