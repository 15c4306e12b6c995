import { startTestSentinel, type TestSentinel } from '@pinegate/testing';
import { afterEach, expect, test } from 'vitest';
import { contestedRows } from './contested.ts';
import { type FaultStack, openFaultStack, SCRIPT } from './open-fault-stack.ts';

let sentinel: TestSentinel | undefined;
let stack: FaultStack | undefined;

afterEach(async () => {
  await stack?.stop();
  await sentinel?.close();
  stack = undefined;
  sentinel = undefined;
});

const accessPath = (name: string) => `/v1/scripts/${encodeURIComponent(SCRIPT)}/access/${name}`;

async function open(name: string, acceptReplicas: number) {
  const watched = await startTestSentinel();
  sentinel = watched;
  const env = { REDIS_URL: watched.url, ACCEPT_REPLICAS: String(acceptReplicas) };
  const opened = await openFaultStack(name, { workers: 2, env });
  stack = opened;
  return { sentinel: watched, stack: opened };
}

/** Grants one after another; the status of each. */
async function grantAll(to: FaultStack, prefix: string, count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const headers = { 'idempotency-key': `${prefix}-${i}` };
    const { status } = await to.call('PUT', accessPath(`${prefix}_${i}`), { headers, body: { expiresAt: null } });
    statuses.push(status);
  }
  return statuses;
}

test('a fail-over to a lagging replica loses nothing that was accepted where a replica must have it first', async () => {
  const { sentinel, stack } = await open('failover', 1);
  const sent = stack.sendBatch(contestedRows('over', 20, 120));
  await stack.write((w) => w.username.startsWith('over'), 'the first writes');
  // Whatever comes from here on is read by no replica.
  sentinel.replica.freeze();
  expect(await grantAll(stack, 'late', 5)).toEqual([503, 503, 503, 503, 503]);
  await loseMaster(sentinel);
  // The old master comes back as the new one's replica, and accepting goes on.
  await sentinel.master.start();
  await sent;
  await stack.send(SCRIPT, 'after', { kind: 'set', expiresAt: null });
  await stack.expectRight();
});

test('without that, what the replica did not have is lost, and what it had is not', async () => {
  const { sentinel, stack } = await open('failover-plain', 0);
  expect(await grantAll(stack, 'early', 5)).toEqual([202, 202, 202, 202, 202]);
  await stack.write((w) => w.username === 'early_4', 'the early grants');
  await stack.sandbox('POST', '/__sandbox/configure', { latency: { fixed: 1_000 } });
  sentinel.replica.freeze();
  expect(await grantAll(stack, 'late', 5)).toEqual([202, 202, 202, 202, 202]);
  await loseMaster(sentinel);
  const known = await statuses(stack, 'late');
  process.stdout.write(`accepted and lost without ACCEPT_REPLICAS: ${known.filter((s) => s === 404).length} of 5\n`);
  expect(known.filter((status) => status === 404).length).toBeGreaterThan(0);
  expect(await statuses(stack, 'early')).toEqual([200, 200, 200, 200, 200]);
});

/** The master dies, and with it what the frozen replica has not read: the one that takes over is as it was when it froze. */
async function loseMaster({ master, replica, failedOver }: TestSentinel): Promise<void> {
  await replica.kill();
  await master.kill();
  await replica.start();
  await failedOver();
}

/** Of each access, once Redis answers again. */
async function statuses(of: FaultStack, prefix: string): Promise<number[]> {
  const found: number[] = [];
  while (found.length < 5) {
    const { status } = await of.call('GET', accessPath(`${prefix}_${found.length}`));
    if (status < 500) found.push(status);
  }
  return found;
}
