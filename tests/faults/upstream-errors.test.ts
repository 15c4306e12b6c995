import { waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { contestedRows, grants } from './contested.ts';
import { type FaultStack, openFaultStack } from './open-fault-stack.ts';

const TRANSIENT = {
  MAX_TRIES: '60',
  VERIFY_DELAY_MS: '5000',
  REQUEST_DEADLINE_MS: '4000',
  CLAIM_LEASE_MS: '12000',
};

let stack: FaultStack;

beforeAll(async () => {
  stack = await openFaultStack('upstream-errors', { workers: 2, env: TRANSIENT });
});
afterAll(() => stack?.stop());
beforeEach(() => configure({ faults: {}, faultsByEndpoint: {}, latency: { fixed: 5 } }));

const configure = (options: object) => stack.sandbox('POST', '/__sandbox/configure', options);

async function outcomesOf(batch: string): Promise<Record<string, number>> {
  return (await stack.read(`/v1/batches/${batch}`)).outcomes;
}

test('500, 502 and 503 pages, before or after the effect, are tried again and never read as success', async () => {
  await configure({ faults: { serverError: 0.1, serverErrorAfter: 0.1 } });
  const batch = await stack.sendBatch(contestedRows('pages', 15, 60));
  await stack.settled();
  await configure({ faults: {} });
  await stack.expectRight();
  expect(await outcomesOf(batch)).toMatchObject({ failed: 0, rejected: 0 });
});

test('while TradingView is down the breaker holds requests back, and one probe closes it again', async () => {
  await configure({ faults: { serverError: 1 } });
  const batch = await stack.sendBatch(grants('down', 40));
  await waitFor(() => stack.isBreakerOpen(), { what: 'the breaker to open' });
  await configure({ faults: {} });
  await stack.expectRight();
  expect(await outcomesOf(batch)).toMatchObject({ granted: 40, failed: 0 });
});

test('answers that are cut, of another type or a page that asks for a human are verified, not believed', async () => {
  await configure({ faults: { cutLength: 0.06, cutClose: 0.06, wrongType: 0.06, challenge: 0.03 } });
  const batch = await stack.sendBatch(contestedRows('broken', 15, 60));
  await stack.settled();
  await configure({ faults: {} });
  await stack.expectRight();
  expect(await outcomesOf(batch)).toMatchObject({ failed: 0, rejected: 0 });
});

test('requests that drip, hang, break before or after their effect or land late extend nothing twice', async () => {
  await configure({
    faults: { drip: 0.1, hang: 0.03, hangAfter: 0.03, resetBefore: 0.05, resetAfter: 0.05, lateWrite: 0.05 },
    lateWriteMs: 1_000,
    dripMs: 50,
  });
  const batch = await stack.sendBatch(contestedRows('slow', 15, 60));
  await stack.settled();
  await configure({ faults: {} });
  await stack.expectRight();
  expect(await outcomesOf(batch)).toMatchObject({ failed: 0, rejected: 0 });
});
