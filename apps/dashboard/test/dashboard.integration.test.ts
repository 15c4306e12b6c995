import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { ADMIN_KEY, type DashboardHarness, openDashboardHarness } from './dashboard-harness.ts';

let dashboard: DashboardHarness;

beforeEach(async () => {
  dashboard = await openDashboardHarness(inject('redisUrl'));
});
afterEach(() => dashboard.close());

async function keyWith(...scopes: ('read' | 'write' | 'admin')[]) {
  return dashboard.context.directory.keys.create('ops', scopes);
}

test('a key logs in with a cookie that scripts and other sites cannot use', async () => {
  const answer = await dashboard.logIn(ADMIN_KEY);
  expect(answer.statusCode).toBe(303);
  expect(answer.headers.location).toBe('/');
  expect(answer.cookies[0]).toMatchObject({ name: 'pinegate_session', httpOnly: true, sameSite: 'Strict', path: '/' });
});

test('a wrong key is answered 401 and gets no cookie', async () => {
  const answer = await dashboard.logIn('pk_wrong');
  expect(answer.statusCode).toBe(401);
  expect(answer.cookies).toEqual([]);
  expect(dashboard.logged.join('')).not.toContain('pk_wrong');
});

test('a login without a body is answered 401', async () => {
  expect((await dashboard.app.inject({ method: 'POST', url: '/login' })).statusCode).toBe(401);
});

test.each(['/', '/queues', '/queues/queue/maintenance', '/queues/static/favicon-32x32.png', '/nothing'])(
  '%s leads to the login without one',
  async (url) => {
    const answer = await dashboard.get(url);
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/login']);
  },
);

test('the API of the board is answered 401 without a login, and with a made-up cookie', async () => {
  expect((await dashboard.get('/queues/api/queues')).statusCode).toBe(401);
  expect((await dashboard.get('/queues/api/queues', 'pinegate_session=guess')).statusCode).toBe(401);
});

test('health, readiness and metrics need no login', async () => {
  const answers = await Promise.all(['/healthz', '/readyz', '/metrics'].map((url) => dashboard.get(url)));
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);
});

test('the overview shows each account with its state and a link to the API', async () => {
  const answer = await dashboard.get('/', await dashboard.cookieOf((await keyWith('read')).secret));
  expect(answer.statusCode).toBe(200);
  expect(answer.body).toContain('<b>first</b>');
  expect(answer.body).toContain('session_missing');
  expect(answer.body).toContain('http://api.example:5000/docs');
  expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
});

test('what a key is called cannot become markup', async () => {
  const { secret } = await dashboard.context.directory.keys.create('<script>alert(1)</script>', ['read']);
  const answer = await dashboard.get('/', await dashboard.cookieOf(secret));
  expect(answer.body).not.toContain('<script>');
  expect(answer.body).toContain('&lt;script&gt;');
});

test('the board shows every lane of the accounts and the queues of all accounts', async () => {
  const cookie = await dashboard.cookieOf(ADMIN_KEY);
  const { queues } = (await dashboard.get('/queues/api/queues', cookie)).json();
  const names = queues.map(({ name }: { name: string }) => name);
  const lanes = ['grant', 'revoke', 'grant-bulk', 'revoke-bulk'].map((lane) => `first · ${lane}`);
  expect(names.sort()).toEqual([...lanes, 'maintenance', 'validate'].sort());
});

test('the board and its script are served to who is logged in', async () => {
  const cookie = await dashboard.cookieOf(ADMIN_KEY);
  const page = await dashboard.get('/queues', cookie);
  expect(page.statusCode).toBe(200);
  const script = /src="(static\/js\/main[^"]*)"/.exec(page.body)?.[1];
  expect((await dashboard.get(`/queues/${script}`, cookie)).statusCode).toBe(200);
});

test.each([['read'], ['write']] as const)('the scope %s sees the queues and cannot change them', async (scope) => {
  const cookie = await dashboard.cookieOf((await keyWith(scope)).secret);
  const { queues } = (await dashboard.get('/queues/api/queues', cookie)).json();
  expect(queues.every(({ readOnlyMode }: { readOnlyMode: boolean }) => readOnlyMode)).toBe(true);
  const urls = ['/queues/api/queues/maintenance/pause', '/queues/api/queues/pause'];
  const answers = await Promise.all(urls.map((url) => dashboard.put(url, cookie)));
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([403, 403]);
});

test('an admin pauses a lane, and log and audit say which key did it', async () => {
  const cookie = await dashboard.cookieOf(ADMIN_KEY);
  const lane = encodeURIComponent('first · grant');
  expect((await dashboard.put(`/queues/api/queues/${lane}/pause`, cookie)).statusCode).toBe(200);
  const { queues } = (await dashboard.get('/queues/api/queues', cookie)).json();
  const found = queues.find(({ name }: { name: string }) => name === 'first · grant');
  expect(found).toMatchObject({ isPaused: true, readOnlyMode: false });
  expect(dashboard.logged.some((line) => line.includes('operator') && line.includes('"keyId":"admin"'))).toBe(true);
  const { items } = await dashboard.context.directory.audit.list({ action: 'queue.act' }, null, 10);
  expect(items).toMatchObject([{ actor: 'admin', target: 'queues/first · grant/pause', result: 'done' }]);
});

test('details of Redis are hidden from everyone', async () => {
  const answer = await dashboard.get('/queues/api/redis/stats', await dashboard.cookieOf(ADMIN_KEY));
  expect(answer.body).not.toContain('version');
});

test('a logout ends the login, not only the cookie', async () => {
  const cookie = await dashboard.cookieOf(ADMIN_KEY);
  const answer = await dashboard.app.inject({ method: 'POST', url: '/logout', headers: { cookie } });
  expect([answer.statusCode, answer.headers.location]).toEqual([303, '/login']);
  expect((await dashboard.get('/', cookie)).statusCode).toBe(303);
});

test('a key that is removed ends its logins', async () => {
  const { key, secret } = await keyWith('admin');
  const cookie = await dashboard.cookieOf(secret);
  expect((await dashboard.get('/', cookie)).statusCode).toBe(200);
  await dashboard.context.directory.keys.remove(key.id);
  expect((await dashboard.get('/', cookie)).statusCode).toBe(303);
});

test.each([
  ['GET', 'cross-site', 403],
  ['GET', 'same-site', 200],
  ['GET', 'same-origin', 200],
  ['GET', 'none', 200],
  ['POST', 'cross-site', 403],
  ['POST', 'same-site', 403],
  ['POST', 'same-origin', 401],
] as const)('%s with Sec-Fetch-Site: %s is answered %i', async (method, site, status) => {
  const answer = await dashboard.app.inject({ method, url: '/login', headers: { 'sec-fetch-site': site } });
  expect(answer.statusCode).toBe(status);
});

test('no login can be read from Redis', async () => {
  const cookie = await dashboard.cookieOf(ADMIN_KEY);
  const token = cookie.split('=')[1] as string;
  const keys = await dashboard.context.redis.keys(`*${dashboard.ns}*login*`);
  expect(keys).toHaveLength(1);
  expect(keys[0]).not.toContain(token);
  expect(await dashboard.context.redis.ttl(keys[0] as string)).toBeGreaterThan(0);
});
