import { waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, test } from 'vitest';
import { contestedRows } from './contested.ts';
import { type FaultStack, openFaultStack } from './open-fault-stack.ts';

let stack: FaultStack;

beforeAll(async () => {
  // With a second each way a claim must live for several round trips.
  stack = await openFaultStack('redis-network', { workers: 2, proxied: true, env: { CLAIM_LEASE_MS: '10000' } });
  await stack.sandbox('POST', '/__sandbox/configure', { latency: { uniform: [20, 200] } });
});
afterAll(() => stack?.stop());

function network() {
  if (!stack.proxy) throw new Error('the stack has no proxy');
  return stack.proxy;
}

async function unavailable(): Promise<void> {
  await waitFor(async () => (await stack.call('GET', '/v1/batches')).status === 503, { what: 'a 503 of the api' });
}

async function underWay(name: string): Promise<string> {
  const batch = await stack.sendBatch(contestedRows(name, 20, 120));
  await stack.write((w) => w.username.startsWith(name), 'the first writes');
  return batch;
}

test('the network to Redis is cut while workers write: they go on when it is back', async () => {
  await underWay('cut');
  network().cut();
  await unavailable();
  network().resume();
  await stack.expectRight();
});

test('connections to Redis hang half open: nothing is lost when they pass again', async () => {
  await underWay('half');
  network().halfOpen();
  await unavailable();
  network().resume();
  await stack.expectRight();
});

test('connections to Redis hang half open and are dead for good: new ones take over', async () => {
  await underWay('dead');
  network().halfOpen();
  await unavailable();
  network().cut();
  network().resume();
  await stack.expectRight();
});

test('Redis is two seconds away: workers still converge, and the api says that it cannot', async () => {
  await underWay('slow');
  network().delay(1_000);
  await unavailable();
  await waitFor(stack.quiet, { what: 'the work to end over the slow network', withinMs: 180_000 });
  network().delay(0);
  await stack.expectRight();
});

test('connections to Redis are reset again and again: each time the work goes on', async () => {
  await underWay('reset');
  for (let round = 0; round < 5; round++) {
    const before = (await stack.writes()).length;
    network().reset();
    const goesOn = async () => (await stack.writes()).length > before || (await stack.quiet());
    await waitFor(goesOn, { what: 'the next writes' });
  }
  await stack.expectRight();
});
