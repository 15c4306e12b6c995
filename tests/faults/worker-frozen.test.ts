import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FaultStack, openFaultStack, SCRIPT } from './open-fault-stack.ts';

let stack: FaultStack;

beforeAll(async () => {
  // The worker has to be frozen before it gives up the request that hangs.
  const env = { REQUEST_DEADLINE_MS: '5000', CLAIM_LEASE_MS: '15000' };
  stack = await openFaultStack('worker-frozen', { env });
});
afterAll(() => stack?.stop());

test('a worker frozen past lock and lease, then thawed: its settle finds the claim gone, and nothing is extended twice', async () => {
  await stack.send(SCRIPT, 'frozen', { kind: 'set', expiresAt: Date.UTC(2031, 5, 1) });
  await stack.settled();
  await stack.planFault('hangAfter', { endpoint: 'modify', username: 'frozen' });
  await stack.send(SCRIPT, 'frozen', { kind: 'extend', duration: '1M' });
  await stack.metFault('hangAfter');
  const [holder] = stack.workers;
  if (!holder) throw new Error('no worker');
  const thaw = stack.freeze(holder);
  await stack.startWorker();
  await stack.settled();
  thaw();
  await holder.line('a claim was gone when its write came back');
  await stack.expectRight();
  expect((await stack.members(SCRIPT)).get('frozen')).toBe('2031-07-01T00:00:00.000Z');
});
