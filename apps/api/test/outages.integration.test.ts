import { startTestRedis, type TestRedis } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ACCESS, type ApiHarness, openApiHarness, SCRIPT } from './api-harness.ts';

let redis: TestRedis;
let api: ApiHarness;

beforeAll(async () => {
  // With `everysec` what is answered while its file is synced, on a slow disk for seconds, is not in it yet, and killed is lost.
  redis = await startTestRedis({ config: { appendfsync: 'no' } });
  api = await openApiHarness(redis.url, { failsFast: true });
  await api.addAccounts();
  await api.call('GET', '/v1/scripts');
});
afterAll(async () => {
  await api.close();
  await redis.close();
});

async function expectUnavailable(key: string): Promise<void> {
  const calls = [
    () => api.call('PUT', `${ACCESS}/other`, { body: { duration: '1D' } }),
    () => api.call('PUT', `${ACCESS}/${key}`, { body: { extendBy: '1D' }, headers: { 'idempotency-key': key } }),
    () => api.call('GET', `${ACCESS}/away`),
    () =>
      api.call('POST', '/v1/batches', {
        body: { operations: [{ action: 'revoke', script: SCRIPT, username: 'away' }] },
      }),
    () => api.call('GET', '/v1/batches'),
  ];
  for (const call of calls) {
    // This process may stand still meanwhile: then the time of another one counts.
    let fastest = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < 5 && fastest >= 1_500; tries++) {
      const began = performance.now();
      const { status, body, headers } = await call();
      fastest = Math.min(fastest, performance.now() - began);
      expect([status, body.code]).toEqual([503, 'unavailable']);
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      expect(JSON.stringify(body)).not.toMatch(/ECONN|ioredis|Stream|timed out|evalsha/i);
    }
    expect(fastest).toBeLessThan(1_500);
  }
  expect((await api.call('GET', '/readyz')).status).toBe(503);
  expect((await api.call('GET', '/healthz')).status).toBe(200);
}

async function expectBack(key: string): Promise<void> {
  await expect.poll(async () => (await api.call('GET', '/readyz')).status).toBe(200);
  // What was on its way when Redis froze may still have begun the request: then its lease runs out first.
  const headers = { 'idempotency-key': key };
  const send = () => api.call('PUT', `${ACCESS}/${key}`, { body: { extendBy: '1D' }, headers });
  await expect.poll(async () => (await send()).status, { interval: 500 }).toBe(202);
  expect((await api.call('GET', `${ACCESS}/${key}`)).body.version).toBe(1);
}

test('with Redis killed every request is answered 503 within about a second, and works again when it is back', async () => {
  await redis.kill();
  await expectUnavailable('killed');
  await redis.start();
  await expectBack('killed');
});

test('with Redis frozen likewise, and a write that was refused has one effect when it is sent again', async () => {
  redis.freeze();
  await expectUnavailable('frozen');
  redis.thaw();
  await expectBack('frozen');
});
