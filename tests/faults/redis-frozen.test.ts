import { setTimeout as outage } from 'node:timers/promises';
import { afterAll, beforeAll, test } from 'vitest';
import { contestedRows } from './contested.ts';
import { type FaultStack, openFaultStack } from './open-fault-stack.ts';

// Longer than the workers' lock (3 s) and lease (6 s).
const FROZEN_MS = 8_000;

let stack: FaultStack;

beforeAll(async () => {
  stack = await openFaultStack('redis-frozen', { workers: 2 });
  await stack.sandbox('POST', '/__sandbox/configure', { latency: { uniform: [20, 200] } });
});
afterAll(() => stack?.stop());

test('Redis frozen longer than the lock of a job and the lease of a claim: what runs twice has one effect', async () => {
  const sent = stack.sendBatch(contestedRows('thawed', 30, 200));
  await stack.write((w) => w.username.startsWith('thawed'), 'the first writes');
  // What waits for Redis may be claimed by the other worker first once it answers again.
  const thawed = stack.frozen();
  stack.redis.freeze();
  await outage(FROZEN_MS);
  stack.redis.thaw();
  await sent;
  await stack.settled();
  thawed();
  await stack.expectRight();
});
