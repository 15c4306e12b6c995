import { closeRedis, openRedis, type Redis, redisReady } from '@pinegate/runtime';
import { startTestRedis, type TestRedis } from '@pinegate/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  ACCESS,
  type ApiHarness,
  type CallOptions,
  OTHER_SCRIPT,
  openApiHarness,
  SCRIPT,
  UNKNOWN_SCRIPT,
} from './api-harness.ts';

type Method = 'PUT' | 'POST' | 'DELETE';
type Write = readonly [method: Method, url: string, options?: CallOptions];

let server: TestRedis;
let redis: Redis;
let api: ApiHarness;
let batch: string;
let key: string;

beforeAll(async () => {
  server = await startTestRedis({ appendOnly: false });
  redis = openRedis(server.url, 'shared');
  await redisReady(redis);
  api = await openApiHarness(server.url, { maxTries: 1 });
  await api.addAccounts();
  await api.call('PUT', `${ACCESS}/failed`, { body: { expiresAt: null } });
  await api.work('one', new Map(), () => ({ failing: 'UNAVAILABLE' }));
  const operations = [{ action: 'grant', script: SCRIPT, username: 'waits', expiresAt: null }];
  batch = (await api.call('POST', '/v1/batches', { body: { operations } })).body.id;
  key = (await api.call('POST', '/v1/keys', { body: { name: 'old', scopes: ['read'] } })).body.id;
});
afterAll(async () => {
  await api.close();
  await closeRedis(redis);
  await server.close();
});

beforeEach(() => redis.config('SET', 'maxmemory', '1mb'));
afterEach(() => redis.config('SET', 'maxmemory', '0'));

const extension = { action: 'grant', script: SCRIPT, username: 'new', extendBy: '1M' };
const csv = `action,script,username,expires_at\n${`grant,${SCRIPT},new,lifetime\n`.repeat(60)}`;

/** Every route that writes. */
const writes = (): readonly Write[] => [
  ['PUT', `${ACCESS}/new`, { body: { expiresAt: null } }],
  ['PUT', `${ACCESS}/waits`, { body: { extendBy: '1M' }, headers: { 'idempotency-key': 'full-1' } }],
  ['DELETE', `${ACCESS}/waits`],
  ['POST', `${ACCESS}/failed/retry`],
  ['POST', '/v1/batches', { body: { operations: [extension] }, headers: { 'idempotency-key': 'full-2' } }],
  ['POST', '/v1/batches', { body: csv, type: 'text/csv' }],
  ['DELETE', `/v1/batches/${batch}`],
  ['POST', `/v1/batches/${batch}/retry`],
  ['PUT', '/v1/accounts/three', { body: { scripts: [UNKNOWN_SCRIPT] } }],
  ['PUT', '/v1/accounts/two', { body: { scripts: [OTHER_SCRIPT, UNKNOWN_SCRIPT] } }],
  ['DELETE', '/v1/accounts/two'],
  ['PUT', '/v1/accounts/two/session', { body: { sessionid: 'x' } }],
  ['POST', '/v1/accounts/two/pause'],
  ['POST', '/v1/accounts/two/resume'],
  ['POST', `/v1/scripts/${encodeURIComponent(OTHER_SCRIPT)}/refresh`, { body: { mode: 'report' } }],
  ['POST', '/v1/keys', { body: { name: 'new', scopes: ['read'] } }],
  ['PUT', `/v1/keys/${key}`, { body: { name: 'other', scopes: ['read'] } }],
  ['POST', `/v1/keys/${key}/rotate`, { body: {} }],
  ['DELETE', `/v1/keys/${key}`],
  ['PUT', '/v1/flags', { body: { acceptBulk: false } }],
];

/** All that can be read of what the writes are about; when a key was last used is no part of it. */
async function everything(): Promise<unknown> {
  const urls = [
    `${ACCESS}/waits`,
    `${ACCESS}/failed`,
    ACCESS,
    '/v1/batches',
    `/v1/batches/${batch}`,
    '/v1/accounts',
    '/v1/scripts',
    '/v1/keys',
    '/v1/flags',
    '/v1/audit',
  ];
  const answers = await Promise.all(urls.map((url) => api.call('GET', url)));
  expect(answers.map(({ status }) => status)).toEqual(urls.map(() => 200));
  return answers.map(({ body }) => body);
}

test('with Redis full every route that writes answers 503 storage_full, reads go on, and nothing has changed', async () => {
  const before = await everything();
  const answers: unknown[] = [];
  for (const [method, url, options] of writes()) {
    const { status, body, headers } = await api.call(method, url, options);
    answers.push([method, url, status, body.code, Number(headers['retry-after']) > 0]);
  }
  expect(answers).toEqual(writes().map(([method, url]) => [method, url, 503, 'storage_full', true]));
  expect(await everything()).toEqual(before);
});

test('with room again the same requests are accepted, each with one effect', async () => {
  const [, extend, , , posted] = writes();
  for (const [method, url, options] of [extend, posted] as Write[]) {
    expect((await api.call(method, url, options)).body.code).toBe('storage_full');
  }
  await redis.config('SET', 'maxmemory', '0');
  for (const [method, url, options] of [extend, posted, extend, posted] as Write[]) {
    expect((await api.call(method, url, options)).status).toBe(202);
  }
  expect((await api.call('GET', `${ACCESS}/waits`)).body.version).toBe(2);
  expect((await api.call('GET', `${ACCESS}/new`)).body.version).toBe(1);
});
