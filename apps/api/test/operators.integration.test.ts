import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { ACCESS, type ApiHarness, OTHER_SCRIPT, openApiHarness, SCRIPT } from './api-harness.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await openApiHarness(inject('redisUrl'));
});
afterAll(() => api.close());
beforeEach(() => {
  api.tasks.checkSession = async () => {};
  api.tasks.validate = async () => {};
});

const ACCOUNT = '/v1/accounts/one';
const COOKIE = 'canary-cookie-0123456789';

test('an account gets the documented defaults, is parked without cookies, and never shows them', async () => {
  const created = await api.call('PUT', ACCOUNT, { body: { scripts: [SCRIPT] } });
  expect(created.status).toBe(201);
  const budget = (start: number) => ({ start, min: 0.5, max: 1_000, adaptive: true, rate: start });
  expect(created.body).toEqual({
    id: 'one',
    state: 'parked',
    reason: expect.any(String),
    scripts: [SCRIPT],
    budgets: { grant: budget(5), revoke: budget(4), list: budget(5), lookup: budget(20) },
    maxInFlight: 24,
    sharedBudget: false,
    pending: 0,
    inFlight: 0,
    session: { state: 'unknown', checkedAt: null },
  });
  const replaced = await api.call('PUT', ACCOUNT, {
    body: { scripts: [SCRIPT], budgets: { grant: { start: null, adaptive: false } }, maxInFlight: 3 },
  });
  expect([replaced.status, replaced.body.maxInFlight, replaced.body.budgets.grant.start]).toEqual([200, 3, null]);
  expect((await api.call('GET', '/v1/accounts')).body.items.map(({ id }: { id: string }) => id)).toEqual(['one']);
});

test('posting cookies waits for their check and answers the account', async () => {
  api.tasks.checkSession = async (account) => {
    const session = await api.directory.sessions.get(account);
    if (session?.cookies.sessionid !== COOKIE) throw new Error('not the cookies that were posted');
    setTimeout(() => void api.directory.accounts.setSession(account, 'ok', session.postedAt), 50);
  };
  const put = await api.call('PUT', `${ACCOUNT}/session`, { body: { sessionid: COOKIE, sessionidSign: 'v3:sign' } });
  expect(put.status).toBe(200);
  expect(put.body).toMatchObject({ state: 'active', session: { state: 'ok', checkedAt: expect.any(String) } });
  expect(JSON.stringify(put.body)).not.toContain(COOKIE);
  expect(JSON.stringify((await api.call('GET', ACCOUNT)).body)).not.toContain(COOKIE);
  expect(api.logged.join('')).not.toContain(COOKIE);
});

test('an account is paused and resumed', async () => {
  expect((await api.call('POST', `${ACCOUNT}/pause`)).body.state).toBe('paused');
  const put = await api.call('PUT', `${ACCESS}/paused-user`, { body: { duration: '1D' } });
  expect(put.status).toBe(202);
  expect((await api.call('POST', `${ACCOUNT}/resume`)).body.state).toBe('active');
});

test('a script with pending operations cannot be taken away, nor its account', async () => {
  const emptied = await api.call('PUT', ACCOUNT, { body: { scripts: [] } });
  expect([emptied.status, emptied.body.code]).toEqual([409, 'account_pending']);
  const removed = await api.call('DELETE', ACCOUNT);
  expect([removed.status, removed.body.code]).toEqual([409, 'account_pending']);
  expect((await api.call('GET', ACCOUNT)).body).toMatchObject({ scripts: [SCRIPT], pending: 1 });
  await api.work('one');
});

test('a script of another account is refused', async () => {
  const taken = await api.call('PUT', '/v1/accounts/two', { body: { scripts: [OTHER_SCRIPT, SCRIPT] } });
  expect([taken.status, taken.body.code, taken.body.script]).toEqual([409, 'script_taken', SCRIPT]);
  expect((await api.call('GET', '/v1/accounts/two')).status).toBe(404);
});

test('scripts are listed with their account, page by page', async () => {
  await api.call('PUT', '/v1/accounts/two', { body: { scripts: [OTHER_SCRIPT] } });
  await expect.poll(async () => (await api.call('GET', '/v1/scripts')).body.items.length).toBe(2);
  const first = await api.call('GET', '/v1/scripts?limit=1');
  expect(first.body.items).toEqual([{ script: SCRIPT, account: 'one' }]);
  const second = await api.call('GET', `/v1/scripts?limit=1&cursor=${first.body.next}`);
  expect(second.body).toEqual({ items: [{ script: OTHER_SCRIPT, account: 'two' }], next: null });
});

test('a removed account is gone, and its script is unknown', async () => {
  const removed = await api.call('DELETE', '/v1/accounts/two');
  expect([removed.status, removed.body]).toEqual([204, '']);
  expect((await api.call('DELETE', '/v1/accounts/two')).status).toBe(404);
});

test.each([
  ['no scripts', {}],
  ['a script that is none', { scripts: ['PUB;x'] }],
  ['a script twice', { scripts: [SCRIPT, SCRIPT] }],
  ['a budget below its floor', { scripts: [], budgets: { grant: { start: 0.1 } } }],
  ['a floor above the ceiling', { scripts: [], budgets: { list: { min: 10, max: 5, start: 7 } } }],
  ['a negative rate', { scripts: [], budgets: { list: { start: -1 } } }],
  ['an unknown budget', { scripts: [], budgets: { fast: { start: 1 } } }],
  ['an unknown field', { scripts: [], colour: 'red' }],
  ['no request in flight', { scripts: [], maxInFlight: 0 }],
])('an account with %s is refused', async (_what, body) => {
  const put = await api.call('PUT', '/v1/accounts/three', { body });
  expect(put.status).toBe(400);
  expect(put.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect((await api.call('GET', '/v1/accounts/three')).status).toBe(404);
});

test('an account id has its form', async () => {
  const put = await api.call('PUT', '/v1/accounts/Not_An_Id', { body: { scripts: [] } });
  expect([put.status, put.body.code]).toEqual([400, 'invalid_request']);
});

test('an API key is shown once, works within its scopes only, and ends when it is deleted', async () => {
  const body = { name: 'shop', scopes: ['read', 'write'] };
  const headers = { 'idempotency-key': 'key-1' };
  const created = await api.call('POST', '/v1/keys', { body, headers });
  expect(created.status).toBe(201);
  expect(created.body).toMatchObject({ name: 'shop', scopes: ['read', 'write'], key: expect.any(String) });
  const { id, key } = created.body;
  const again = await api.call('POST', '/v1/keys', { body, headers });
  expect([again.status, again.body]).toEqual([201, { ...created.body, key: null }]);
  expect(JSON.stringify((await api.call('GET', '/v1/keys')).body)).not.toContain(key);

  expect((await api.call('GET', '/v1/scripts', { key })).status).toBe(200);
  const forbidden = await api.call('GET', '/v1/keys', { key });
  expect([forbidden.status, forbidden.body.code, forbidden.body.scope]).toEqual([403, 'scope_missing', 'admin']);
  expect((await api.call('DELETE', `/v1/keys/${id}`)).status).toBe(204);
  expect((await api.call('GET', '/v1/scripts', { key })).status).toBe(401);
  expect((await api.call('DELETE', `/v1/keys/${id}`)).body.code).toBe('unknown_key');
  expect(api.logged.join('')).not.toContain(key);
});

test.each([
  ['none', {}],
  ['a wrong one', { authorization: 'Bearer nobody' }],
  ['another scheme', { authorization: 'Basic YWRtaW46YWRtaW4=' }],
  ['an empty one', { authorization: 'Bearer ' }],
  ['one of megabytes', { 'x-api-key': 'x'.repeat(4_000) }],
])('a request with %s as API key is answered 401 and says how', async (_what, headers) => {
  const answer = await api.call('GET', '/v1/scripts', { key: null, headers: headers as Record<string, string> });
  expect([answer.status, answer.body.code]).toEqual([401, 'unauthorized']);
  expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
});

test('each route needs its scope', async () => {
  const make = async (scopes: string[]) =>
    (await api.call('POST', '/v1/keys', { body: { name: 'x', scopes } })).body.key;
  const reader = await make(['read']);
  const writer = await make(['write']);
  const put = { body: { duration: '1D' } };
  expect((await api.call('PUT', `${ACCESS}/x`, { ...put, key: reader })).status).toBe(403);
  expect((await api.call('GET', `${ACCESS}/x`, { key: writer })).status).toBe(403);
  expect((await api.call('PUT', `${ACCESS}/x`, { ...put, key: writer })).status).toBe(202);
  expect((await api.call('GET', '/v1/accounts', { key: writer })).status).toBe(403);
});

test('a username is answered from the cache, or looked up by a worker, or not known in time', async () => {
  api.names.set('cached', { canonical: 'CaChed', checkedAt: 1_700_000_000_000 });
  const cached = await api.call('GET', '/v1/usernames/@cached');
  expect(cached.body).toEqual({
    username: 'CaChed',
    exists: true,
    cached: true,
    checkedAt: '2023-11-14T22:13:20.000Z',
  });
  api.tasks.validate = async (names) => {
    for (const name of names)
      api.names.set(name, { canonical: name === 'nobody' ? null : name.toUpperCase(), checkedAt: 1 });
  };
  const looked = await api.call('POST', '/v1/usernames/validate', {
    body: { usernames: ['cached', 'fresh', 'nobody', 'not a name'] },
  });
  expect(
    looked.body.results.map(({ username, exists, cached: was }: Record<string, unknown>) => [username, exists, was]),
  ).toEqual([
    ['CaChed', true, true],
    ['FRESH', true, false],
    ['nobody', false, false],
    ['not a name', false, false],
  ]);
  api.tasks.validate = async () => {};
  const late = await api.call('GET', '/v1/usernames/late', { headers: { prefer: 'wait=0' } });
  expect([late.status, late.body.exists]).toEqual([200, null]);
});

test.each([
  ['none', { usernames: [] }],
  ['too many', { usernames: Array.from({ length: 1_001 }, () => 'x') }],
  ['no list', { usernames: 'x' }],
])('%s usernames to validate are refused', async (_what, body) => {
  expect((await api.call('POST', '/v1/usernames/validate', { body })).status).toBe(400);
});

test('health, metrics and documentation need no key', async () => {
  for (const path of ['/healthz', '/readyz', '/metrics', '/docs/', '/openapi.json']) {
    expect([path, (await api.call('GET', path, { key: null })).status]).toEqual([path, 200]);
  }
  const metrics = (await api.call('GET', '/metrics', { key: null })).body as string;
  expect(metrics).toMatch(
    /http_requests_total\{method="PUT",route="\/v1\/scripts\/:script\/access\/:username",status_code="202",app="api"\} \d/,
  );
  expect(metrics).toContain('http_request_duration_seconds_bucket');
  expect(metrics).toMatch(/pinegate_rows_total\{verdict="accepted",app="api"\} \d/);
});

test('the documentation describes every route, its bodies and the list of codes', async () => {
  const { body } = await api.call('GET', '/openapi.json', { key: null });
  expect(body.openapi).toBe('3.1.0');
  const routes = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(routes.sort()).toMatchSnapshot();
  const put = body.paths['/v1/scripts/{script}/access/{username}'].put;
  expect(put.requestBody.content['application/json'].schema).toBeDefined();
  expect(put.responses).toMatchObject({ 200: {}, 202: {}, default: {} });
  const post = body.paths['/v1/batches'].post;
  expect(Object.keys(post.requestBody.content)).toEqual(['application/json', 'text/csv', 'application/x-ndjson']);
  expect(body.components.schemas.Problem).toBeDefined();
  expect(body.info.description).toContain('| `unknown_script` | 404 |');
});

test('one line is logged for each request, with its route and key id and without its query', async () => {
  api.logged.length = 0;
  await api.call('GET', '/v1/scripts?limit=7');
  const lines = api.logged.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request');
  expect(lines).toEqual([
    expect.objectContaining({
      method: 'GET',
      route: '/v1/scripts',
      path: '/v1/scripts',
      statusCode: 200,
      keyId: 'admin',
    }),
  ]);
});
