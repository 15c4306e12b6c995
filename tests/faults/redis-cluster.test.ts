import { startTestRedisCluster, type TestRedisCluster } from '@pinegate/testing';
import { afterAll, beforeAll, test } from 'vitest';
import { contestedRows } from './contested.ts';
import { type FaultStack, openFaultStack, SCRIPT } from './open-fault-stack.ts';

const TAG = '{pinegate:alpha}';

let cluster: TestRedisCluster;
let stack: FaultStack;

beforeAll(async () => {
  cluster = await startTestRedisCluster();
  stack = await openFaultStack('redis-cluster', { workers: 2, env: { REDIS_URL: cluster.url } });
  await stack.sandbox('POST', '/__sandbox/configure', { latency: { uniform: [5, 50] } });
}, 180_000);
afterAll(async () => {
  await stack?.stop();
  await cluster?.close();
});

test('an account whose slot moves to another node under load loses nothing and does nothing twice', async () => {
  const sent = stack.sendBatch(contestedRows('moved', 30, 200));
  await stack.write((w) => w.username.startsWith('moved'), 'the first writes');
  const from = await cluster.masterOf(TAG);
  await cluster.moveSlot(TAG, (from + 1) % 3);
  await sent;
  await stack.send(SCRIPT, 'moved_after', { kind: 'set', expiresAt: null });
  await stack.expectRight();
});

test('an account whose node is killed goes on with its replica', async () => {
  const sent = stack.sendBatch(contestedRows('killed', 30, 200));
  await stack.write((w) => w.username.startsWith('killed'), 'the first writes');
  await cluster.killMaster(await cluster.masterOf(TAG));
  await sent;
  await stack.send(SCRIPT, 'killed_after', { kind: 'set', expiresAt: null });
  await stack.expectRight();
});
