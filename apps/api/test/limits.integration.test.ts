import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { FAILED_ATTEMPTS } from '../src/limit-requests.ts';
import { type ApiHarness, openApiHarness } from './api-harness.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await openApiHarness(inject('redisUrl'), { trustedProxies: ['127.0.0.1'] });
});
afterAll(() => api.close());

const from = (address: string) => ({ 'x-forwarded-for': address });
const keyWith = async (body: object) =>
  (await api.call('POST', '/v1/keys', { body: { name: 'shop', scopes: ['read'], ...body } })).body;

test('a key has 10,000 requests a second, says how many are left, and leaves nothing but a counter that ends by itself', async () => {
  const { key } = await keyWith({});
  const { headers } = await api.call('GET', '/v1/scripts', { key });
  expect(headers).toMatchObject({ 'ratelimit-limit': '10000', 'ratelimit-remaining': '9999' });
  expect(headers['ratelimit-reset']).toBe('1');
});

test('a key with a limit of its own is told to wait beyond it, whatever the route, and others are not', async () => {
  const { key } = await keyWith({ ratePerSecond: 2 });
  const { key: other } = await keyWith({});
  const paths = [
    '/v1/scripts',
    '/v1/batches',
    '/v1/scripts',
    '/v1/batches',
    '/v1/scripts',
    '/v1/batches',
    '/v1/scripts',
  ];
  const answers = await Promise.all(paths.map((path) => api.call('GET', path, { key })));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]).toMatchObject({
    body: { code: 'rate_limited', status: 429 },
    headers: { 'retry-after': '1', 'ratelimit-limit': '2', 'ratelimit-remaining': '0' },
  });
  expect((await api.call('GET', '/v1/scripts', { key: other })).status).toBe(200);
});

test('routes without a key have no limit and no such headers', async () => {
  const { headers } = await api.call('GET', '/healthz', { key: null });
  expect(headers['ratelimit-limit']).toBeUndefined();
});

test('an address whose attempts fail is told to wait; a key that was good goes on from it, another address is free', async () => {
  const { key } = await keyWith({});
  const { key: fresh } = await keyWith({});
  const headers = from('203.0.113.7');
  expect((await api.call('GET', '/v1/scripts', { key, headers })).status).toBe(200);
  for (let n = 0; n <= FAILED_ATTEMPTS; n++) {
    expect((await api.call('GET', '/v1/scripts', { key: `guess-${n}`, headers })).status).toBe(401);
  }
  const barred = await api.call('GET', '/v1/scripts', { key: 'guess', headers });
  expect([barred.status, barred.body.code]).toEqual([429, 'rate_limited']);
  expect(Number(barred.headers['retry-after'])).toBeGreaterThan(0);
  // Or a guess would still be answered.
  expect((await api.call('GET', '/v1/scripts', { key: fresh, headers })).status).toBe(429);
  expect((await api.call('GET', '/v1/scripts', { key, headers })).status).toBe(200);
  expect((await api.call('GET', '/v1/scripts', { key: 'guess', headers: from('203.0.113.8') })).status).toBe(401);
});

test('one IPv6 network counts as one address', async () => {
  for (let n = 0; n <= FAILED_ATTEMPTS; n++) {
    await api.call('GET', '/v1/scripts', { key: null, headers: from(`2001:db8:0:7::${n.toString(16)}`) });
  }
  const statusFrom = async (ip: string) =>
    (await api.call('GET', '/v1/scripts', { key: null, headers: from(ip) })).status;
  expect(await statusFrom('2001:db8:0:7:ffff::1')).toBe(429);
  expect(await statusFrom('2001:db8:0:8::1')).toBe(401);
});

test('without a named proxy nobody can claim an address', async () => {
  const plain = await openApiHarness(inject('redisUrl'));
  try {
    await plain.call('POST', '/v1/keys', { body: { name: 'x', scopes: ['read'] }, headers: from('203.0.113.9') });
    expect((await plain.call('GET', '/v1/audit?limit=1')).body.items[0].address).toBe('127.0.0.1');
    await api.call('POST', '/v1/keys', { body: { name: 'x', scopes: ['read'] }, headers: from('203.0.113.9') });
    expect((await api.call('GET', '/v1/audit?limit=1')).body.items[0].address).toBe('203.0.113.9');
  } finally {
    await plain.close();
  }
});

test('a key is rotated with an overlap, shown once, and audited without it', async () => {
  const { id, key: old } = await keyWith({ ratePerSecond: 50 });
  const headers = { 'idempotency-key': 'rotate-1' };
  const body = { overlapSeconds: 3_600, reason: 'yearly' };
  const rotated = await api.call('POST', `/v1/keys/${id}/rotate`, { body, headers });
  expect(rotated.status).toBe(201);
  expect(rotated.body).toMatchObject({
    id,
    ratePerSecond: 50,
    key: expect.stringContaining(id),
    overlapUntil: expect.any(String),
  });
  const again = await api.call('POST', `/v1/keys/${id}/rotate`, { body, headers });
  expect(again.body).toEqual({ ...rotated.body, key: null });
  for (const key of [old, rotated.body.key]) expect((await api.call('GET', '/v1/scripts', { key })).status).toBe(200);
  const [entry] = (await api.call('GET', '/v1/audit?action=key.rotate')).body.items;
  expect(entry).toMatchObject({ target: id, reason: 'yearly' });
  expect(JSON.stringify(entry)).not.toContain(rotated.body.key);
  await api.call('POST', `/v1/keys/${id}/rotate`, { body: { overlapSeconds: 0 } });
  expect((await api.call('GET', '/v1/scripts', { key: old })).status).toBe(401);
  expect((await api.call('POST', '/v1/keys/nobody/rotate')).body.code).toBe('unknown_key');
});

test('a key is listed with its expiry and last use, and changed', async () => {
  const expiresAt = '2999-01-01T00:00:00.000Z';
  const { id, key } = await keyWith({ expiresAt });
  await api.call('GET', '/v1/scripts', { key });
  const find = async () =>
    (await api.call('GET', '/v1/keys?limit=1000')).body.items.find((item: { id: string }) => item.id === id);
  await expect.poll(find).toMatchObject({ expiresAt, lastUsedAt: expect.any(String), overlapUntil: null });
  const changed = await api.call('PUT', `/v1/keys/${id}`, {
    body: { name: 'other', scopes: ['write'], ratePerSecond: 3 },
  });
  expect(changed.body).toMatchObject({ id, name: 'other', scopes: ['write'], ratePerSecond: 3, expiresAt: null });
  expect((await api.call('GET', '/v1/scripts', { key })).status).toBe(403);
  expect((await api.call('PUT', '/v1/keys/nobody', { body: { name: 'x', scopes: ['read'] } })).status).toBe(404);
  const past = await api.call('POST', '/v1/keys', {
    body: { name: 'x', scopes: ['read'], expiresAt: '2020-01-01T00:00:00Z' },
  });
  expect([past.status, past.body.code]).toEqual([400, 'invalid_expiry']);
});
