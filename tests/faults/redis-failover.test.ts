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

async function open() {
  const watched = await startTestSentinel();
  sentinel = watched;
  const env = { REDIS_URL: watched.url, ACCEPT_REPLICAS: '1' };
  const opened = await openFaultStack('failover', { workers: 2, env });
  stack = opened;
  return { sentinel: watched, stack: opened };
}

/** Revokes of users who have nothing: what is refused as not replicated may still take effect, and these have none. */
async function revokeAll(to: FaultStack, prefix: string, count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const headers = { 'idempotency-key': `${prefix}-${i}` };
    const { status } = await to.call('DELETE', accessPath(`${prefix}_${i}`), { headers });
    statuses.push(status);
  }
  return statuses;
}

test('a fail-over to a lagging replica loses nothing that was accepted where a replica must have it first', async () => {
  const { sentinel, stack } = await open();
  const sent = stack.sendBatch(contestedRows('over', 20, 120));
  await stack.write((w) => w.username.startsWith('over'), 'the first writes');
  // Whatever comes from here on is read by no replica.
  sentinel.replica.freeze();
  expect(await revokeAll(stack, 'late', 5)).toEqual([503, 503, 503, 503, 503]);
  await loseMaster(sentinel);
  // The old master comes back as the new one's replica, and accepting goes on.
  await sentinel.master.start();
  await sent;
  await stack.send(SCRIPT, 'after', { kind: 'set', expiresAt: null });
  await stack.expectRight();
});

/** The master dies, and with it what the frozen replica has not read: the one that takes over is as it was when it froze. */
async function loseMaster({ master, replica, failedOver }: TestSentinel): Promise<void> {
  await replica.kill();
  await master.kill();
  await replica.start();
  await failedOver();
}
