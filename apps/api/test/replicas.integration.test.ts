import { closeRedis, openRedis, type Redis, redisReady } from '@pinegate/runtime';
import { startTestRedis, type TestRedis, waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ACCESS, type ApiHarness, type Called, openApiHarness, SCRIPT } from './api-harness.ts';

let master: TestRedis;
let replica: TestRedis;
let redis: Redis;
let api: ApiHarness;

beforeAll(async () => {
  master = await startTestRedis({ appendOnly: false });
  const config = { replicaof: `127.0.0.1 ${master.port}`, 'repl-ping-replica-period': '1' };
  replica = await startTestRedis({ appendOnly: false, config });
  redis = openRedis(master.url, 'shared');
  await redisReady(redis);
  await replicaIsThere();
  api = await openApiHarness(master.url, { acceptReplicas: 1 });
  await api.addAccounts();
});
afterAll(async () => {
  await api?.close();
  await closeRedis(redis);
  await replica.close();
  await master.close();
});

const replicaIsThere = () =>
  waitFor(async () => (await redis.info('replication')).includes('state=online'), { what: 'the replica' });

const csv = `action,script,username,extend_by\n${`grant,${SCRIPT},of_a_file,1M\n`.repeat(3)}`;

/** Accepting requests, and what has to be there of each in the end. */
const REQUESTS = [
  {
    what: 'an extension',
    send: () =>
      api.call('PUT', `${ACCESS}/single`, { body: { extendBy: '1M' }, headers: { 'idempotency-key': 'single' } }),
    user: 'single',
    version: 1,
  },
  {
    what: 'a batch',
    send: () =>
      api.call('POST', '/v1/batches', {
        body: { operations: [{ action: 'grant', script: SCRIPT, username: 'of_a_batch', extendBy: '1M' }] },
        headers: { 'idempotency-key': 'batch' },
      }),
    user: 'of_a_batch',
    version: 1,
  },
  {
    what: 'an upload',
    send: () =>
      api.call('POST', '/v1/batches', { body: csv, type: 'text/csv', headers: { 'idempotency-key': 'upload' } }),
    user: 'of_a_file',
    version: 3,
  },
];

/** Sends it until it is accepted: on a busy machine the replica may take longer than the api waits. */
async function accepted(what: string, send: () => Promise<Called>): Promise<Called> {
  const look = async () => {
    const answer = await send();
    return answer.status === 202 ? answer : undefined;
  };
  return waitFor(look, { what: `${what} to be accepted` });
}

test('with its replica there, what is accepted is on it', async () => {
  const put = await accepted('a grant', () => api.call('PUT', `${ACCESS}/first`, { body: { expiresAt: null } }));
  expect(put.status).toBe(202);
});

test('while the replica is frozen nothing is accepted for sure, and sent again under its key it has one effect', async () => {
  replica.freeze();
  try {
    for (const { what, send } of REQUESTS) {
      const { status, body, headers } = await send();
      expect([what, status, body.code]).toEqual([what, 503, 'not_replicated']);
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    }
    expect((await api.call('GET', `${ACCESS}/first`)).status).toBe(200);
  } finally {
    replica.thaw();
  }
  await replicaIsThere();
  for (const { what, send, user, version } of REQUESTS) {
    const { body } = await accepted(what, send);
    expect((await send()).body).toEqual(body);
    expect((await api.call('GET', `${ACCESS}/${user}`)).body.version).toBe(version);
  }
});
