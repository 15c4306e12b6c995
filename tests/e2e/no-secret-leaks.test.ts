import { randomBytes } from 'node:crypto';
import { openRedis } from '@pinegate/runtime';
import { reservePort, type TestProcess, waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDashboard } from '../stack/start-dashboard.ts';
import { type Stack, startStack } from '../stack/start-stack.ts';

const SCRIPT = `PUB;${'c8'.repeat(16)}`;
const ACCESS = `/v1/scripts/${encodeURIComponent(SCRIPT)}/access`;
const SECRET_KEY = randomBytes(32).toString('base64');
const canary = (what: string) => `canary-${what}-${randomBytes(12).toString('hex')}`;
const COOKIES = { sessionid: canary('sessionid'), sessionidSign: canary('sign') };
const DEAD = { sessionid: canary('dead-sessionid'), sessionidSign: canary('dead-sign') };

// Processes that start on a busy machine.
const START_MS = 180_000;

let stack: Stack;
let dashboard: TestProcess;
let dashboardUrl: string;
let apiKey: string;
let login: string;
/** Everything that came out, by where it came out. */
const seen = new Map<string, string>();

beforeAll(async () => {
  const workerPort = await reservePort();
  const env = {
    PINEGATE_SECRET_KEY: SECRET_KEY,
    LOG_LEVEL: 'debug',
    VERIFY_DELAY_MS: '300',
    MAX_TRIES: '1',
    REQUEST_DEADLINE_MS: '1000',
    CLAIM_LEASE_MS: '5000',
  };
  stack = await startStack({ workers: 0, env, accounts: [] });
  await stack.startWorker({ env: { WORKER_PORT: String(workerPort) } });
  ({ url: dashboardUrl, process: dashboard } = await startDashboard(stack, SECRET_KEY, { LOG_LEVEL: 'debug' }));
  await live();
  await collect(`http://127.0.0.1:${workerPort}/metrics`);
}, START_MS);
afterAll(async () => {
  await dashboard?.stop();
  await stack?.stop();
});

/** A life with failures: faults upstream, a session that dies, wrong keys, bodies that are no JSON. */
async function live(): Promise<void> {
  await stack.sandbox('PUT', '/__sandbox/accounts/planted', { ...COOKIES, scripts: [SCRIPT] });
  keep('put account', await stack.call('PUT', '/v1/accounts/planted', { body: { scripts: [SCRIPT] } }));
  keep('put session', await stack.call('PUT', '/v1/accounts/planted/session', { body: COOKIES }));
  const made = await stack.call('POST', '/v1/keys', { body: { name: 'planted', scopes: ['read', 'write'] } });
  apiKey = made.body.key;
  const options = { key: apiKey, headers: { prefer: 'wait=10' } };
  keep('grant', await stack.call('PUT', `${ACCESS}/anna`, { ...options, body: { expiresAt: null } }));

  await stack.sandbox('POST', '/__sandbox/configure', { faultsByEndpoint: { add: { serverError: 1 } } });
  const operations = [{ action: 'grant', script: SCRIPT, username: 'unlucky', expiresAt: null }];
  const { body } = await stack.call('POST', '/v1/batches', { key: apiKey, body: { operations } });
  await stack.drained(body.id);
  keep('failures', await stack.call('GET', `/v1/batches/${body.id}/failures`, { key: apiKey }));
  await stack.sandbox('POST', '/__sandbox/configure', { faultsByEndpoint: {} });

  keep('bad json', await stack.call('PUT', '/v1/accounts/planted/session', { raw: `{"sessionid":"${DEAD.sessionid}` }));
  keep('bad field', await stack.call('PUT', '/v1/accounts/planted/session', { body: { ...DEAD, more: 1 } }));
  // Its answer says the path to whoever sent it; the log must not.
  await stack.call('GET', `/v1/nothing/${encodeURIComponent(stack.adminKey)}`);
  keep('wrong key', await stack.call('GET', '/v1/scripts', { key: DEAD.sessionidSign }));
  keep('no scope', await stack.call('GET', '/v1/accounts', { key: apiKey }));
  keep('dead session', await stack.call('PUT', '/v1/accounts/planted/session', { body: DEAD }));
  keep('waits', await stack.call('PUT', `${ACCESS}/patient`, { key: apiKey, body: { expiresAt: null } }));
}

function keep(where: string, answer: { readonly status: number; readonly headers: Headers; readonly body: unknown }) {
  seen.set(where, JSON.stringify([answer.status, [...answer.headers], answer.body]));
}

async function collect(workerMetrics: string): Promise<void> {
  const body = new URLSearchParams({ key: stack.adminKey });
  const answer = await fetch(`${dashboardUrl}/login`, { method: 'POST', body, redirect: 'manual' });
  login = /pinegate_session=([^;]+)/.exec(answer.headers.get('set-cookie') ?? '')?.[1] ?? '';
  await fetch(`${dashboardUrl}/login`, { method: 'POST', body: new URLSearchParams({ key: DEAD.sessionid }) });
  const lanes = ['grant', 'revoke', 'grant-bulk', 'revoke-bulk'].map((lane) => encodeURIComponent(`planted · ${lane}`));
  const boards = ['maintenance', 'validate', ...lanes].map((queue) => `/queues/api/queues?activeQueue=${queue}&page=1`);
  for (const path of ['/', '/overview.json', '/overview.txt', '/queues', ...boards, '/metrics']) {
    const page = await fetch(dashboardUrl + path, { headers: { cookie: `pinegate_session=${login}` } });
    seen.set(`dashboard ${path}`, await page.text());
  }
  for (const path of [
    '/v1/accounts',
    '/v1/keys',
    '/v1/audit',
    '/v1/batches',
    '/v1/scripts',
    '/openapi.json',
    '/metrics',
  ]) {
    keep(`api ${path}`, await stack.call('GET', path));
  }
  await waitFor(async () => (await (await fetch(workerMetrics)).text()).includes('planted'), {
    what: 'the worker to lead',
  });
  seen.set('worker /metrics', await (await fetch(workerMetrics)).text());
  seen.set('redis', await readRedis());
  seen.set('log of the api', stack.api.lines.join('\n'));
  seen.set('log of the worker', stack.workers.flatMap(({ lines }) => lines).join('\n'));
  seen.set('log of the dashboard', dashboard.lines.join('\n'));
}

/** Every key and value: jobs, ledgers, the directory. */
async function readRedis(): Promise<string> {
  const redis = openRedis(stack.redis.url, 'shared');
  const readers: Record<string, (key: string) => Promise<unknown>> = {
    string: (key) => redis.get(key),
    hash: (key) => redis.hgetall(key),
    list: (key) => redis.lrange(key, 0, -1),
    set: (key) => redis.smembers(key),
    zset: (key) => redis.zrange(key, '0', '-1'),
    stream: (key) => redis.xrange(key, '-', '+'),
  };
  const found: unknown[] = [];
  for (const key of await redis.keys('*')) found.push(key, await readers[await redis.type(key)]?.(key));
  await redis.quit();
  return JSON.stringify(found);
}

test('what was looked through is what it should be', () => {
  expect(seen.get('log of the worker')).toContain('"msg":"upstream call"');
  expect(seen.get('log of the worker')).toContain('"msg":"job"');
  expect(seen.get('log of the api')).toContain('"msg":"request"');
  expect(seen.get('dashboard /')).toContain('unlucky');
  expect(seen.get('redis')).toContain('unlucky');
  expect(seen.get('worker /metrics')).toContain('pinegate_pending{account="planted"');
  expect(login.length).toBeGreaterThan(20);
});

test('no cookie, key or password is in a log, a job, a page, a metric, an error, or in the clear in Redis', () => {
  const secrets = {
    ...COOKIES,
    deadSessionid: DEAD.sessionid,
    deadSign: DEAD.sessionidSign,
    secretKey: SECRET_KEY,
    adminKey: stack.adminKey,
    apiKey,
    login,
  };
  const leaks = Object.entries(secrets).flatMap(([name, secret]) =>
    [...seen].filter(([, text]) => text.includes(secret)).map(([where]) => `${name} in ${where}`),
  );
  expect(leaks).toEqual([]);
});
