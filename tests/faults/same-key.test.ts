import { waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FaultStack, openFaultStack, SCRIPT } from './open-fault-stack.ts';

const JUNE = Date.UTC(2031, 5, 1);
const AT_ONCE = 20;

let stack: FaultStack;

beforeAll(async () => {
  stack = await openFaultStack('same-key');
});
afterAll(() => stack?.stop());

const pathOf = (user: string) => `/v1/scripts/${encodeURIComponent(SCRIPT)}/access/${user}`;

/** Not by the recorder, which would count every one of them. */
function extendUnder(key: string, user: string) {
  return stack.call('PUT', pathOf(user), { headers: { 'idempotency-key': key }, body: { extendBy: '1M' } });
}

async function settledAt(user: string): Promise<string | null | undefined> {
  await waitFor(stack.quiet, { what: 'the ledger to become quiet' });
  return (await stack.members(SCRIPT)).get(user);
}

test('the same Idempotency-Key twenty times at once: one effect and one answer', async () => {
  await stack.send(SCRIPT, 'at_once', { kind: 'set', expiresAt: JUNE });
  await stack.settled();
  const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => extendUnder('at-once', 'at_once')));
  for (const { status, headers } of answers.filter((a) => a.status !== 202)) {
    expect([status, headers.has('retry-after')]).toEqual([409, true]);
  }
  const accepted = answers.filter((a) => a.status === 202).map((a) => a.body);
  expect(accepted.length).toBeGreaterThan(0);
  const again = await extendUnder('at-once', 'at_once');
  expect(again.status).toBe(202);
  for (const body of accepted) expect(body).toEqual(again.body);
  expect(await settledAt('at_once')).toBe('2031-07-01T00:00:00.000Z');
});

test('the same Idempotency-Key again after a 503: one effect', async () => {
  await stack.send(SCRIPT, 'refused', { kind: 'set', expiresAt: JUNE });
  await stack.settled();
  stack.redis.freeze();
  // What was on its way when Redis stood still may have been written, or not: the client cannot know.
  const refused = await Promise.all([1, 2, 3].map((n) => extendUnder(`refused-${n}`, 'refused')));
  expect(refused.map((a) => a.status)).toEqual([503, 503, 503]);
  stack.redis.thaw();
  for (const n of [1, 2, 3]) {
    await expect.poll(async () => (await extendUnder(`refused-${n}`, 'refused')).status, { timeout: 60_000 }).toBe(202);
    expect((await extendUnder(`refused-${n}`, 'refused')).status).toBe(202);
  }
  expect(await settledAt('refused')).toBe('2031-09-01T00:00:00.000Z');
});
