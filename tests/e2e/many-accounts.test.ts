import { closeRedis, openRedis, type Redis, redisReady } from '@pinegate/runtime';
import { waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leftAlone, postCookies, type Stack, startStack, UNLIMITED } from '../stack/start-stack.ts';

const DATE = '2031-05-01T00:00:00.000Z';
const WORKERS = 2;
const scriptOf = (n: number) => `PUB;${n.toString(16).padStart(32, '0')}`;
const idOf = (n: number) => `account-${n}`;
const ACCOUNTS = Array.from({ length: 20 }, (_, n) => n);
/** Its budget lets through one request in two seconds. */
const SLOW = 0;
/** Its requests hang until their deadline. */
const HANGING = 1;
const PARKED = 2;
const OTHERS = ACCOUNTS.slice(3);

let stack: Stack;
let redis: Redis;

beforeAll(async () => {
  const crawl = { start: 0.5, adaptive: false };
  const budgets = { grant: crawl, revoke: crawl, list: { start: null }, lookup: { start: null } };
  const accounts = ACCOUNTS.map((n) => {
    const scripts = [scriptOf(n)];
    return n === SLOW
      ? { id: idOf(n), scripts, config: { scripts, budgets, maxInFlight: 24 } }
      : { id: idOf(n), scripts };
  });
  // Room for two chunks: whoever keeps it while it waits stops everybody else.
  stack = await startStack({ workers: WORKERS, env: { WORKER_IN_FLIGHT: '100', LOG_LEVEL: 'debug' }, accounts });
  redis = openRedis(stack.redis.url, 'shared');
  await redisReady(redis);
}, 240_000);
afterAll(async () => {
  if (redis) await closeRedis(redis);
  await stack?.stop();
});

async function grantMany(accounts: readonly number[], rows: number): Promise<string> {
  const operations = accounts.flatMap((n) =>
    Array.from({ length: rows }, (_, i) => ({
      action: 'grant',
      script: scriptOf(n),
      username: `user-${n}-${rows}-${i}`,
      expiresAt: DATE,
    })),
  );
  return (await stack.call('POST', '/v1/batches', { body: { operations } })).body.id;
}

const batchOf = async (id: string) => await stack.read(`/v1/batches/${id}`);
const accountOf = async (n: number) => await stack.read(`/v1/accounts/${idOf(n)}`);
const requestsOf = async (n: number): Promise<number> =>
  (await stack.sandbox('GET', '/__sandbox/counters')).body.accounts[idOf(n)].requests;
const connections = async () =>
  String(await redis.call('CLIENT', 'LIST'))
    .trim()
    .split('\n').length;

/** As many as were there for two seconds: a lane that was paused and goes on connects anew. */
async function steadyConnections(): Promise<number> {
  let seen = { count: await connections(), since: performance.now() };
  return waitFor(
    async () => {
      const count = await connections();
      if (count !== seen.count) seen = { count, since: performance.now() };
      return performance.now() - seen.since >= 2_000 && count;
    },
    { what: 'the connections to stay as many as they are' },
  );
}

test('accounts that are slow, hang or are parked slow no other', async () => {
  const slow = await grantMany([SLOW], 1_000);
  for (let i = 0; i < 200; i++) {
    const fault = { fault: 'hang', endpoint: 'add', username: `user-${HANGING}-200-${i}` };
    await stack.sandbox('POST', '/__sandbox/faults', fault);
  }
  await grantMany([HANGING], 200);
  await stack.sandbox('POST', `/__sandbox/accounts/${idOf(PARKED)}/session`, { alive: false });
  const parked = await grantMany([PARKED], 100);
  await waitFor(async () => (await accountOf(PARKED)).state === 'parked', { what: 'the account to be parked' });

  const done = await stack.drained(await grantMany(OTHERS, 60));
  expect(done.outcomes).toMatchObject({ granted: OTHERS.length * 60, failed: 0 });
  expect((await batchOf(slow)).pending).toBeGreaterThan(500);
  expect((await batchOf(parked)).pending).toBe(100);
});

test('an operator’s pause stops the requests of all workers, and a resume lets them go on', async () => {
  const paused = await stack.call('POST', `/v1/accounts/${idOf(SLOW)}/pause`);
  expect(paused.body.state).toBe('paused');
  // Also the worker that hears of it last: none is in flight most of the time.
  await leftAlone(stack.workers, idOf(SLOW), 'paused');
  await waitFor(async () => (await accountOf(SLOW)).inFlight === 0, { what: 'what was in flight to end' });
  const before = await requestsOf(SLOW);
  await stack.drained(await grantMany(OTHERS, 61));
  expect(await requestsOf(SLOW)).toBe(before);
  expect((await stack.call('POST', `/v1/accounts/${idOf(SLOW)}/resume`)).body.state).toBe('active');
  await waitFor(async () => (await requestsOf(SLOW)) > before, { what: 'a request after the resume' });
});

test('an account that is added works at once, and one that is removed gives its connections back', async () => {
  const before = await steadyConnections();
  const [id, script] = ['added', scriptOf(99)];
  const cookies = { sessionid: 'session-added', sessionidSign: 'sign-added' };
  await stack.sandbox('PUT', `/__sandbox/accounts/${id}`, { ...cookies, scripts: [script] });
  await stack.call('PUT', `/v1/accounts/${id}`, { body: { scripts: [script], budgets: UNLIMITED } });
  expect((await postCookies(stack, id, cookies)).state).toBe('active');
  const path = `/v1/scripts/${encodeURIComponent(script)}/access/newcomer`;
  const granted = await stack.call('PUT', path, { headers: { prefer: 'wait=30' }, body: { expiresAt: DATE } });
  expect(granted.body).toMatchObject({ status: 'settled', applied: { outcome: 'granted' } });
  // Four lanes on each worker.
  await waitFor(async () => (await connections()) === before + 4 * WORKERS, { what: 'the lanes of the new account' });
  expect((await stack.call('DELETE', `/v1/accounts/${id}`)).status).toBe(204);
  await waitFor(async () => (await connections()) === before, { what: 'the connections to be given back' });
});
