import { waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { postCookies } from '../stack/start-stack.ts';
import { grants } from './contested.ts';
import { type FaultStack, openFaultStack, PATIENT, SCRIPT } from './open-fault-stack.ts';

let stack: FaultStack;

beforeAll(async () => {
  // One try: whatever spends it ends in `failed`.
  stack = await openFaultStack('retry-budget', { env: { ...PATIENT, MAX_TRIES: '1' } });
});
afterAll(() => stack?.stop());
beforeEach(() => configure({ faults: {}, faultsByEndpoint: {}, latency: { fixed: 0 }, retryAfter: 'none' }));

const configure = (options: object) => stack.sandbox('POST', '/__sandbox/configure', options);
const outcomesOf = async (batch: string) => (await stack.read(`/v1/batches/${batch}`)).outcomes;

test('a refusal for being too fast spends nothing', async () => {
  await stack.planFault('refuse', { endpoint: 'add', count: 6 });
  const batch = await stack.sendBatch(grants('fast', 3));
  await stack.settled();
  expect(await outcomesOf(batch)).toMatchObject({ granted: 3, failed: 0 });
});

test('a worker that is stopped hands its work on and spends nothing', async () => {
  await configure({ latency: { fixed: 300 } });
  const batch = await stack.sendBatch(grants('stopped', 150));
  await stack.write((w) => w.username.startsWith('stopped'), 'the first writes');
  await stack.workers.at(-1)?.stop(120_000);
  await stack.startWorker();
  await stack.settled();
  expect(await outcomesOf(batch)).toMatchObject({ granted: 150, failed: 0 });
});

test('a dead session spends nothing: the account is parked, and fresh cookies resume it', async () => {
  await stack.sandbox('POST', '/__sandbox/accounts/alpha/session', { alive: false, form: 'html' });
  const batch = await stack.sendBatch(grants('parked', 5));
  const state = async () => (await stack.read('/v1/accounts/alpha')).state;
  await waitFor(async () => (await state()) === 'parked', { what: 'the account to be parked' });
  await stack.sandbox('POST', '/__sandbox/accounts/alpha/session', { alive: true });
  const cookies = { sessionid: 'session-alpha', sessionidSign: 'sign-alpha' };
  expect((await postCookies(stack, 'alpha', cookies)).state).toBe('active');
  await stack.settled();
  expect(await outcomesOf(batch)).toMatchObject({ granted: 5, failed: 0 });
});

test('what stays unclear fails with its last error after a read, is listed, and is redriven one by one or with its batch', async () => {
  await configure({ faultsByEndpoint: { add: { challenge: 1 } } });
  const batch = await stack.sendBatch(grants('unclear', 3));
  const single = await stack.send(SCRIPT, 'unclear_single', { kind: 'set', expiresAt: null });
  await stack.settled();
  const listed = (await stack.read(`/v1/batches/${batch}/failures`)).items;
  const names = listed.map((f: { username: string; code: string }) => [f.username, f.code]);
  expect(names.sort()).toEqual([0, 1, 2].map((n) => [`unclear_${n}`, 'UNCERTAIN']));
  const operation = await stack.call('GET', `/v1/operations/${single.id}`);
  expect(operation.body).toMatchObject({ outcome: 'failed', error: 'UNCERTAIN' });

  await configure({ faultsByEndpoint: {} });
  stack.redriven();
  const access = `/v1/scripts/${encodeURIComponent(SCRIPT)}/access`;
  for (const user of ['unclear_single', 'unclear_1']) {
    expect((await stack.call('POST', `${access}/${user}/retry`)).status).toBe(202);
  }
  expect((await stack.call('POST', `/v1/batches/${batch}/retry`)).status).toBe(202);
  await stack.expectRight();
  expect(await outcomesOf(batch)).toMatchObject({ granted: 3, failed: 0 });
  expect((await stack.read(`/v1/operations/${single.id}`)).outcome).toBe('granted');
});
