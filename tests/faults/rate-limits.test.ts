import { waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FaultStack, openFaultStack, PATIENT, SCRIPT } from './open-fault-stack.ts';

const JUNE = Date.UTC(2031, 5, 1);
const MAX_IN_FLIGHT = 8;
const ADAPTIVE = { start: 40, min: 0.5, max: 1_000, adaptive: true };
const CONFIG = { budgets: { grant: ADAPTIVE, revoke: ADAPTIVE }, maxInFlight: MAX_IN_FLIGHT };
/** Its limit is learned: an account whose requests were all refused for a while is suspected of a quota, and probed seldom. */
const OTHER = `PUB;${'f2'.repeat(16)}`;
const LEARN_MS = 150_000;

let stack: FaultStack;

beforeAll(async () => {
  stack = await openFaultStack('rate-limits', {
    workers: 2,
    accounts: [
      { id: 'alpha', scripts: [SCRIPT], config: CONFIG },
      { id: 'beta', scripts: [OTHER], config: CONFIG },
    ],
    // One attempt spent, and an operation would be read and given up.
    env: { ...PATIENT, MAX_TRIES: '1' },
  });
});
afterAll(() => stack?.stop());

const grants = (kind: string, count: number, script = SCRIPT) =>
  Array.from({ length: count }, (_, i) => ({
    script,
    username: `${kind}_${i}`,
    change: { kind: 'set', expiresAt: JUNE } as const,
  }));
const configure = (options: object) => stack.sandbox('POST', '/__sandbox/configure', options);

async function counters() {
  const { body } = await stack.sandbox('GET', '/__sandbox/counters');
  return { refused: body.accounts.alpha.refused, reads: body.endpoints.list_users ?? {}, faults: body.faults };
}

/** Every row ended as asked, and nothing was read: a read would mean that an attempt had been spent. */
async function expectNoAttemptSpent(batch: string, rows: number): Promise<void> {
  const { outcomes } = await stack.drained(batch);
  expect(outcomes).toMatchObject({ granted: rows, failed: 0, rejected: 0 });
  expect((await counters()).reads).toEqual({});
}

test('429s without Retry-After spend no attempt', async () => {
  await configure({ faults: { refuse: 0.1 } });
  const batch = await stack.sendBatch(grants('bare', 200));
  await expectNoAttemptSpent(batch, 200);
  expect((await counters()).faults.refuse).toBeGreaterThan(0);
  await configure({ faults: {} });
});

test('a storm of 429s with Retry-After stops all workers until it is over: only what was in flight is refused', async () => {
  await configure({ retryAfter: 'exact', stormMs: 3_000 });
  const before = await counters();
  await stack.planFault('storm', { endpoint: 'add' });
  const batch = await stack.sendBatch(grants('storm', 120));
  await stack.metFault('storm');
  await expectNoAttemptSpent(batch, 120);
  expect((await counters()).refused - before.refused).toBeLessThanOrEqual(2 * MAX_IN_FLIGHT);
  await configure({ retryAfter: 'none' });
});

test('a limit that halves and doubles is learned again', async () => {
  // Slow enough for a busy machine to use it up, or nothing would be refused and nothing learned.
  const limitTo = (rate: number | null) =>
    configure({ limitByAccount: { beta: rate === null ? null : { bucket: { rate, burst: 3 } } } });
  const learned = (isRight: (rate: number) => boolean, what: string) =>
    waitFor(
      async () => {
        const body = await stack.read('/v1/accounts/beta');
        return isRight(body.budgets.grant.rate);
      },
      { what, withinMs: LEARN_MS, everyMs: 250 },
    );
  const rows = 2_500;
  await limitTo(12);
  const batch = await stack.sendBatch(grants('learn', rows, OTHER));
  await learned((rate) => rate <= 14, 'a limit of 12/s to be learned');
  await limitTo(6);
  await learned((rate) => rate <= 7.5, 'a limit of 6/s to be learned');
  await limitTo(12);
  await learned((rate) => rate >= 8, 'a limit of 12/s to be learned again');
  // The rest of the rows need not wait for it.
  await limitTo(null);
  const free = { ...ADAPTIVE, start: null };
  const config = { scripts: [OTHER], budgets: { grant: free, revoke: free }, maxInFlight: 200 };
  await stack.call('PUT', '/v1/accounts/beta', { body: config });
  await expectNoAttemptSpent(batch, rows);
  await stack.expectRight();
});
