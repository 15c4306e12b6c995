import { startTestRedis, type TestRedis } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ACCESS, type ApiHarness, openApiHarness, SCRIPT } from './api-harness.ts';

let redis: TestRedis;
let api: ApiHarness;

beforeAll(async () => {
  redis = await startTestRedis();
  api = await openApiHarness(redis.url);
  await api.addAccounts();
  await api.directory.sessions.put('one', { sessionid: 'x', sessionidSign: null });
});
afterAll(async () => {
  await api.close();
  await redis.close();
});

const resume = (body: object) => api.call('POST', '/v1/accounts/one/resume', { body });

test('after a restore an account is resumed only when its scripts were refreshed, or on the responsibility of the operator', async () => {
  expect((await resume({})).body.state).toBe('active');
  await api.epochs.renew(null);
  expect((await api.call('GET', '/v1/accounts/one')).body).toMatchObject({ state: 'paused', reason: 'redis_restored' });
  expect(await resume({})).toMatchObject({ status: 409, body: { code: 'refresh_required', scripts: [SCRIPT] } });
  expect((await resume({ acknowledgeRestore: true })).body.state).toBe('active');
  expect((await resume({})).status).toBe(200);

  await api.epochs.renew(null);
  expect((await resume({})).status).toBe(409);
  const { refreshes } = api.ledger.account('one');
  await refreshes.page(1, 'all', Date.now(), true, [{ username: 'max', expiresAt: null }]);
  await refreshes.absent(1, 'all', Date.now(), true, 0);
  expect((await resume({})).body.state).toBe('active');
});

test('a paused account that was restored still accepts', async () => {
  await api.epochs.renew(null);
  expect((await api.call('PUT', `${ACCESS}/anna`, { body: { duration: '1D' } })).status).toBe(202);
});

test('an emptied Redis answers 503 on every route with a key, not 401, 404 or an empty list', async () => {
  const { body } = await api.call('POST', '/v1/keys', { body: { name: 'k', scopes: ['read', 'write', 'admin'] } });
  await api.clear();
  for (const key of [undefined, body.key]) {
    for (const call of [
      api.call('GET', '/v1/accounts', { key }),
      api.call('GET', `${ACCESS}/anna`, { key }),
      api.call('PUT', `${ACCESS}/anna`, { body: { duration: '1D' }, key }),
      api.call('PUT', '/v1/accounts/new', { body: { scripts: [] }, key }),
      api.call('POST', '/v1/batches', { body: { operations: [] }, key }),
    ]) {
      expect(await call).toMatchObject({ status: 503, body: { code: 'redis_restored' } });
    }
  }
  expect(api.logged.filter((line) => line.includes('Redis has been emptied'))).toHaveLength(1);
});

test('a new epoch makes it a new installation', async () => {
  await api.epochs.renew(null);
  expect((await api.call('PUT', '/v1/accounts/new', { body: { scripts: [] } })).status).toBe(201);
  expect((await api.call('GET', `${ACCESS}/anna`)).status).toBe(404);
});
