import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FaultStack, openFaultStack, SCRIPT } from './open-fault-stack.ts';

const JUNE = Date.UTC(2031, 5, 1);
const extend = { kind: 'extend', duration: '1M' } as const;

let stack: FaultStack;

beforeAll(async () => {
  stack = await openFaultStack('worker-killed');
});
afterAll(() => stack?.stop());

async function killAndReplace(): Promise<void> {
  await stack.workers.at(-1)?.kill();
  await stack.startWorker();
}

test('a worker killed before its request took effect: another worker extends once', async () => {
  await stack.send(SCRIPT, 'before', { kind: 'set', expiresAt: JUNE });
  await stack.settled();
  await stack.planFault('hang', { endpoint: 'modify', username: 'before' });
  await stack.send(SCRIPT, 'before', extend);
  await stack.metFault('hang');
  await killAndReplace();
  await stack.expectRight();
  expect((await stack.members(SCRIPT)).get('before')).toBe('2031-07-01T00:00:00.000Z');
});

test('a worker killed after its request took effect, before it heard so: the access is extended once', async () => {
  await stack.send(SCRIPT, 'after', { kind: 'set', expiresAt: JUNE });
  await stack.settled();
  await stack.planFault('hangAfter', { endpoint: 'modify', username: 'after' });
  await stack.send(SCRIPT, 'after', extend);
  await stack.metFault('hangAfter');
  await killAndReplace();
  await stack.expectRight();
  expect((await stack.members(SCRIPT)).get('after')).toBe('2031-07-01T00:00:00.000Z');
});
