import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { ACCESS, type ApiHarness, openApiHarness, SCRIPT } from './api-harness.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await openApiHarness(inject('redisUrl'));
  await api.addAccounts();
});
afterAll(() => api.close());

const DEFAULTS = { acceptRevokes: true, acceptBulk: true, verifyEveryWrite: false, http2: true };
const put = (body: object) => api.call('PUT', '/v1/flags', { body });
beforeEach(() => put(DEFAULTS));

const rows = (count: number, action: 'grant' | 'revoke' = 'grant') =>
  Array.from({ length: count }, (_, i) => {
    const access = { action, script: SCRIPT, username: `user-${i}` };
    return action === 'grant' ? { ...access, expiresAt: null } : access;
  });
const post = (operations: object[], headers: Record<string, string> = {}) =>
  api.call('POST', '/v1/batches', { body: { operations }, headers });

test('flags are read and changed, each change with a line in the audit', async () => {
  expect((await api.call('GET', '/v1/flags')).body).toEqual(DEFAULTS);
  const changed = await put({ http2: false, reason: 'their edge resets streams' });
  expect([changed.status, changed.body]).toEqual([200, { ...DEFAULTS, http2: false }]);
  expect((await api.call('GET', '/v1/flags')).body.http2).toBe(false);
  const [entry] = (await api.call('GET', '/v1/audit?action=flags.put')).body.items;
  expect(entry).toMatchObject({
    actor: 'admin',
    target: 'flags',
    reason: 'their edge resets streams',
    before: { http2: true },
    after: { http2: false },
    result: 'done',
  });
  for (const body of [{ nonsense: true }, { http2: 'no' }]) expect((await put(body)).status).toBe(400);
  const key = (await api.call('POST', '/v1/keys', { body: { name: 'writer', scopes: ['read', 'write'] } })).body.key;
  expect((await api.call('PUT', '/v1/flags', { body: { http2: true }, key })).status).toBe(403);
  expect((await api.call('GET', '/v1/flags', { key })).status).toBe(200);
});

test('with revokes off one revoke is refused, in a batch its rows are, and grants go on', async () => {
  const once = { headers: { 'idempotency-key': 'before' } };
  const before = await api.call('DELETE', `${ACCESS}/early`, once);
  await put({ acceptRevokes: false });
  const refused = await api.call('DELETE', `${ACCESS}/ann`);
  expect([refused.status, refused.body.code, refused.headers['retry-after']]).toEqual([503, 'revokes_off', '60']);
  const replayed = await api.call('DELETE', `${ACCESS}/early`, once);
  expect([replayed.status, replayed.body.operation]).toEqual([202, before.body.operation]);
  expect((await api.call('PUT', `${ACCESS}/ann`, { body: { expiresAt: null } })).status).toBe(202);

  const batch = await post([...rows(2), ...rows(1, 'revoke')]);
  expect(batch.body).toMatchObject({ accepted: 2, rejected: 1, rejections: [{ row: 3, code: 'revokes_off' }] });
  await put({ acceptRevokes: true });
  expect((await api.call('DELETE', `${ACCESS}/ann`)).status).toBe(202);
});

test('with bulk off a large batch is refused before anything is written, and a small one is taken', async () => {
  await put({ acceptBulk: false });
  const before = (await api.call('GET', '/v1/batches?limit=1000')).body.items.length;
  const refused = await post(rows(51), { 'idempotency-key': 'large' });
  expect([refused.status, refused.body.code, refused.headers['retry-after']]).toEqual([503, 'bulk_off', '60']);
  const csv = `action,script,username,expires_at\n${rows(60)
    .map(({ username }) => `grant,${SCRIPT},${username},lifetime\n`)
    .join('')}`;
  const stream = await api.call('POST', '/v1/batches', { body: csv, type: 'text/csv' });
  expect([stream.status, stream.body.code]).toEqual([503, 'bulk_off']);
  expect((await api.call('GET', '/v1/batches?limit=1000')).body.items).toHaveLength(before);
  expect((await post(rows(50))).status).toBe(202);
  await put({ acceptBulk: true });
  expect((await post(rows(51), { 'idempotency-key': 'large' })).body).toMatchObject({ accepted: 51 });
});

test('a batch keeps the verdicts that it began with, whatever is switched while its upload is cut', async () => {
  const { batches } = api.directory;
  await batches.create('b_kept', 'k', { acceptRevokes: false });
  await batches.create('b_kept', 'k', { acceptRevokes: true });
  expect(await batches.get('b_kept')).toMatchObject({ acceptRevokes: false });
});
