import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { ACCESS, type ApiHarness, openApiHarness, SCRIPT } from './api-harness.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await openApiHarness(inject('redisUrl'));
  await api.addAccounts();
});
afterAll(() => api.close());

test('the timeline of an access says who asked for what, in which request, and what came of it', async () => {
  const { body: key } = await api.call('POST', '/v1/keys', { body: { name: 'shop', scopes: ['read', 'write'] } });
  const granted = await api.call('PUT', `${ACCESS}/Alice`, {
    key: key.key,
    body: { expiresAt: '2999-01-01T00:00:00Z' },
  });
  await api.work('one');
  const headers = { 'idempotency-key': 'payment-1' };
  const operations = [{ action: 'grant', script: SCRIPT, username: 'alice', extendBy: '1M' }];
  const batch = await api.call('POST', '/v1/batches', { body: { operations }, headers });
  await api.work('one');
  await api.call('DELETE', `${ACCESS}/alice`);
  await api.work('one', new Map(), () => ({ rejected: 'foreign_script' }));

  const { status, body } = await api.call('GET', `${ACCESS}/ALICE/history`, { key: key.key });
  expect(status).toBe(200);
  const at = expect.any(String);
  expect(body).toEqual({
    items: [
      {
        at,
        version: 3,
        action: 'revoke',
        outcome: 'rejected',
        error: 'foreign_script',
        source: 'admin',
        operation: expect.stringMatching(/^one\./),
        batch: null,
      },
      {
        at,
        version: 2,
        action: 'grant',
        extendBy: '1M',
        outcome: 'granted',
        error: null,
        source: 'admin',
        operation: null,
        batch: batch.body.id,
      },
      {
        at,
        version: 1,
        action: 'grant',
        expiresAt: '2999-01-01T00:00:00.000Z',
        outcome: 'granted',
        error: null,
        source: key.id,
        operation: granted.body.operation,
        batch: null,
      },
    ],
    next: null,
  });
});

test('the timeline pages', async () => {
  const first = await api.call('GET', `${ACCESS}/alice/history?limit=2`);
  const second = await api.call('GET', `${ACCESS}/alice/history?limit=2&cursor=${first.body.next}`);
  const versions = [...first.body.items, ...second.body.items].map(({ version }: { version: number }) => version);
  expect(versions).toEqual([3, 2, 1]);
});

test('a cursor of another list, and an access never mentioned, are refused', async () => {
  const cursor = Buffer.from('1:0:x').toString('base64url');
  const refused = await api.call('GET', `${ACCESS}/alice/history?cursor=${cursor}`);
  expect([refused.status, refused.body.code]).toEqual([400, 'invalid_cursor']);
  const unknown = await api.call('GET', `${ACCESS}/nobody/history`);
  expect([unknown.status, unknown.body.code]).toEqual([404, 'unknown_access']);
});
