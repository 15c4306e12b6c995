import { waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { postCookies, type Stack, startStack } from '../stack/start-stack.ts';

const SCRIPT = `PUB;${'c1'.repeat(16)}`;

let stack: Stack;

beforeAll(async () => {
  // With a single try a request that is late for this machine's sake would end as failed, too.
  const env = { VERIFY_DELAY_MS: '300', MAX_TRIES: '1', REQUEST_DEADLINE_MS: '20000', CLAIM_LEASE_MS: '60000' };
  stack = await startStack({ workers: 1, env, accounts: [{ id: 'gamma', scripts: [SCRIPT] }] });
});
afterAll(() => stack?.stop());

test('an operation that never goes through fails after a read showed so, is listed, and can be redriven', async () => {
  await stack.sandbox('POST', '/__sandbox/configure', { faultsByEndpoint: { add: { serverError: 1 } } });
  const operations = [{ action: 'grant', script: SCRIPT, username: 'unlucky', expiresAt: '2031-05-01T00:00:00.000Z' }];
  const posted = await stack.call('POST', '/v1/batches', { body: { operations } });
  const done = await stack.drained(posted.body.id);
  expect(done.outcomes.failed).toBe(1);
  const failures = await stack.call('GET', `/v1/batches/${posted.body.id}/failures`);
  expect(failures.body.items).toMatchObject([{ username: 'unlucky', outcome: 'failed' }]);

  await stack.sandbox('POST', '/__sandbox/configure', { faultsByEndpoint: {} });
  expect((await stack.call('POST', `/v1/batches/${posted.body.id}/retry`)).status).toBe(202);
  const after = await waitFor(
    async () => {
      const body = await stack.read(`/v1/batches/${posted.body.id}`);
      return body.pending === 0 && body.outcomes.granted === 1 ? body : undefined;
    },
    { what: 'the redriven operation to be granted', withinMs: 60_000 },
  );
  expect(after.outcomes.failed).toBe(0);
  expect((await stack.members(SCRIPT)).has('unlucky')).toBe(true);
});

test('a session that dies parks the account and spends nothing; fresh cookies resume it', async () => {
  await stack.sandbox('POST', '/__sandbox/accounts/gamma/session', { alive: false, form: 'login_required' });
  const path = `/v1/scripts/${encodeURIComponent(SCRIPT)}/access/patient`;
  const { body } = await stack.call('PUT', path, { body: { expiresAt: null } });
  const state = async () => (await stack.read('/v1/accounts/gamma')).state;
  await waitFor(async () => (await state()) === 'parked', { what: 'the account to be parked' });
  expect((await stack.read(path)).status).toBe('pending');

  await stack.sandbox('POST', '/__sandbox/accounts/gamma/session', { alive: true });
  const fresh = { sessionid: 'session-gamma', sessionidSign: 'sign-gamma' };
  expect((await postCookies(stack, 'gamma', fresh)).state).toBe('active');
  await waitFor(async () => (await stack.read(`/v1/operations/${body.operation}`)).outcome === 'granted', {
    what: 'the operation that waited',
    withinMs: 60_000,
  });
});
