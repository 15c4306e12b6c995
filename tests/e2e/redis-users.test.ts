import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { closeRedis, openRedis, type Redis, redisReady } from '@pinegate/runtime';
import { reservePort, startProcess, type TestProcess, waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { postCookies, type Stack, startStack, UNLIMITED } from '../stack/start-stack.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SCRIPT = `PUB;${'ac'.repeat(16)}`;
const SECRET_KEY = Buffer.from(Array.from({ length: 32 }, (_, n) => n * 7)).toString('base64');

let dir: string;
let stack: Stack;
let admin: Redis;
let dashboard: TestProcess;
let dashboardUrl: string;

const urlOf = (user: string) => `redis://pinegate-${user}:${user.toUpperCase()}-PASSWORD@127.0.0.1:${stack.redis.port}`;

// Everything runs as the users of ops/redis/users.acl; only the test itself may do all.
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pinegate-acl-'));
  const written = await readFile(join(ROOT, 'ops/redis/users.acl'), 'utf8');
  const aclfile = join(dir, 'users.acl');
  await writeFile(aclfile, written.replace('user default off', 'user default on nopass ~* &* +@all'));
  const env = { VERIFY_DELAY_MS: '300', PINEGATE_SECRET_KEY: SECRET_KEY };
  stack = await startStack({ workers: 0, accounts: [], env, redis: { appendOnly: false, config: { aclfile } } });
  admin = openRedis(stack.redis.url, 'shared');
  await redisReady(admin);
  await stack.api.stop();
  await stack.startApi({ env: { REDIS_URL: urlOf('api') } });
  await stack.startWorker({ env: { REDIS_URL: urlOf('worker') } });
  const port = await reservePort();
  dashboardUrl = `http://127.0.0.1:${port}`;
  dashboard = await startProcess({
    args: ['apps/dashboard/src/main.ts'],
    cwd: ROOT,
    env: {
      REDIS_URL: urlOf('dashboard'),
      DASHBOARD_PORT: String(port),
      PINEGATE_SECRET_KEY: SECRET_KEY,
      PINEGATE_ADMIN_KEY: stack.adminKey,
    },
    readyLine: /"msg":"ready"/,
    readyMs: 120_000,
  });
}, 240_000);
afterAll(async () => {
  await dashboard?.stop();
  if (admin) await closeRedis(admin);
  await stack?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** What Redis has refused since the start, as `user command object`. */
async function refused(): Promise<string[]> {
  const entries = (await admin.call('ACL', 'LOG', '100')) as unknown[][];
  return entries.map((entry) => {
    const field = (name: string) => String(entry[entry.indexOf(name) + 1]);
    return `${field('username')} ${field('reason')} ${field('object')}`;
  });
}

test('the real flows need no right that their users lack', async () => {
  const cookies = { sessionid: 'session-acl', sessionidSign: 'sign-acl' };
  await stack.sandbox('PUT', '/__sandbox/accounts/acl', { ...cookies, scripts: [SCRIPT] });
  await stack.call('PUT', '/v1/accounts/acl', { body: { scripts: [SCRIPT], budgets: UNLIMITED } });
  const { state } = await postCookies(stack, 'acl', cookies);
  expect([state, await refused()]).toEqual(['active', []]);

  const path = `/v1/scripts/${encodeURIComponent(SCRIPT)}/access/alice`;
  const key = { headers: { 'idempotency-key': 'acl-1' } };
  await stack.call('PUT', path, { body: { expiresAt: null }, ...key });
  const operations = ['bob', 'carol', 'dave'].map((username) => ({
    action: 'grant',
    script: SCRIPT,
    username,
    duration: '30D',
  }));
  const batch = await stack.call('POST', '/v1/batches', { body: { operations } });
  expect((await stack.drained(batch.body.id)).outcomes.granted).toBe(3);
  await waitFor(async () => (await stack.read(path)).status === 'settled', { what: 'the single grant' });
  for (const url of [
    `${path}/history`,
    '/v1/audit',
    '/v1/scripts',
    '/v1/batches',
    `/v1/batches/${batch.body.id}/failures`,
    '/v1/keys',
  ]) {
    expect([url, (await stack.call('GET', url)).status]).toEqual([url, 200]);
  }
  const made = await stack.call('POST', '/v1/keys', { body: { name: 'acl', scopes: ['read'] } });
  await stack.call('POST', `/v1/keys/${made.body.id}/rotate`);
  // The look-up goes on when the api has stopped waiting for it.
  const exists = async () => (await stack.read('/v1/usernames/alice')).exists;
  await waitFor(async () => (await exists()) !== null, { what: 'the username to be looked up' });
  expect(await exists()).toBe(true);
  const refresh = await stack.call('POST', `/v1/scripts/${encodeURIComponent(SCRIPT)}/refresh`, {
    body: { mode: 'report' },
  });
  await waitFor(async () => (await stack.read(`/v1/refreshes/${refresh.body.id}`)).state === 'done', {
    what: 'the refresh',
    withinMs: 60_000,
  });
  await stack.call('POST', '/v1/accounts/acl/pause');
  await stack.call('POST', '/v1/accounts/acl/resume');
  await stack.call('DELETE', `/v1/batches/${batch.body.id}`);

  const login = await fetch(`${dashboardUrl}/login`, {
    method: 'POST',
    body: new URLSearchParams({ key: stack.adminKey }),
    redirect: 'manual',
  });
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
  for (const page of ['/', '/queues', '/queues/api/queues']) {
    expect([page, (await fetch(dashboardUrl + page, { headers: { cookie } })).status]).toEqual([page, 200]);
  }
  const pause = `${dashboardUrl}/queues/api/queues/maintenance/pause`;
  expect((await fetch(pause, { method: 'PUT', headers: { cookie } })).status).toBe(200);
  expect(await refused()).toEqual([]);
}, 180_000);

test.each([
  ['api', 'FLUSHALL', []],
  ['api', 'CONFIG', ['GET', 'requirepass']],
  ['api', 'GET', ['another-application']],
  ['api', 'KEYS', ['*']],
  ['worker', 'HGETALL', ['{pinegate}:keys']],
  ['worker', 'ACL', ['LIST']],
  ['worker', 'SCRIPT', ['FLUSH']],
  ['dashboard', 'HGETALL', ['{pinegate}:sessions']],
  ['dashboard', 'SHUTDOWN', []],
] as const)('the user of the %s may not %s %j', async (user, command, args) => {
  const redis = openRedis(urlOf(user), 'shared');
  try {
    await redisReady(redis);
    await expect(redis.call(command, ...args)).rejects.toThrow(/NOPERM/);
  } finally {
    await closeRedis(redis);
  }
});
