import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FaultStack, openFaultStack, SCRIPT } from './open-fault-stack.ts';

const JUNE = Date.UTC(2031, 5, 1);

let stack: FaultStack;

beforeAll(async () => {
  // A write is held back for as long as it takes another worker to see that its own one is dead: longer than the time within which
  // writes land that the other tests promise. What lands after that time is outside of what is guaranteed.
  stack = await openFaultStack('late-writes', { env: { VERIFY_DELAY_MS: '25000' } });
  await stack.sandbox('POST', '/__sandbox/configure', { lateWriteMs: 'held' });
});
afterAll(() => stack?.stop());

/** Lets the held write land, at a time when the ledger still has to look whether one did. */
async function land(): Promise<void> {
  await stack.settled();
  expect(await stack.quiet()).toBe(false);
  expect((await stack.sandbox('POST', '/__sandbox/late-writes')).body.landed).toBe(1);
}

test('a grant that lands after it was revoked is found by the verification and taken back', async () => {
  await stack.planFault('lateWrite', { endpoint: 'add', username: 'late' });
  await stack.send(SCRIPT, 'late', { kind: 'set', expiresAt: null });
  await stack.metFault('lateWrite');
  await stack.send(SCRIPT, 'late', { kind: 'revoke' });
  await land();
  await stack.expectRight();
  const corrected = (line: string) => line.includes('a verification found another state');
  expect(stack.workers.some((w) => w.lines.some(corrected))).toBe(true);
  expect((await stack.members(SCRIPT)).has('late')).toBe(false);
});

test('a worker killed while its write is on its way: it lands late, and the last word stands', async () => {
  await stack.planFault('lateWrite', { endpoint: 'add', username: 'during' });
  await stack.send(SCRIPT, 'during', { kind: 'set', expiresAt: JUNE });
  await stack.metFault('lateWrite', 2);
  await stack.send(SCRIPT, 'during', { kind: 'revoke' });
  await stack.workers.at(-1)?.kill();
  await stack.startWorker();
  await land();
  await stack.expectRight();
  expect((await stack.members(SCRIPT)).has('during')).toBe(false);
});
