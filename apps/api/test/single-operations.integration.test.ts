import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { ACCESS, type ApiHarness, openApiHarness, SCRIPT, UNKNOWN_SCRIPT } from './api-harness.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await openApiHarness(inject('redisUrl'));
  await api.addAccounts();
});
afterAll(() => api.close());

test('a grant is accepted with what is desired, rung for, and read as applied once a worker has settled it', async () => {
  const put = await api.call('PUT', `${ACCESS}/Alice`, { body: { expiresAt: '2040-01-01T00:00:00Z' } });
  expect(put.status).toBe(202);
  expect(put.body).toMatchObject({
    script: SCRIPT,
    username: 'Alice',
    status: 'pending',
    version: 1,
    desired: { state: 'granted', expiresAt: '2040-01-01T00:00:00.000Z' },
    applied: { state: 'unknown', expiresAt: null, at: null, outcome: null },
  });
  expect(put.body.operation).toMatch(/^one\.[A-Za-z0-9_-]{22}$/);
  expect(api.rung.at(-1)).toEqual({ account: 'one', bells: { grant: 1 } });

  await api.work('one');
  const operation = await api.call('GET', `/v1/operations/${put.body.operation}`);
  expect(operation.body).toMatchObject({
    id: put.body.operation,
    script: SCRIPT,
    username: 'Alice',
    version: 1,
    status: 'settled',
    outcome: 'granted',
    error: null,
    settledAt: expect.any(String),
  });
  const read = await api.call('GET', `${ACCESS}/aLICE`);
  expect(read.status).toBe(200);
  expect(read.body).toMatchObject({
    username: 'Alice',
    status: 'settled',
    desired: { state: 'granted', expiresAt: '2040-01-01T00:00:00.000Z' },
    applied: { state: 'granted', expiresAt: '2040-01-01T00:00:00.000Z', outcome: 'granted' },
  });
  expect(read.body).not.toHaveProperty('operation');
});

test('an extension whose base nobody has read desires nothing yet', async () => {
  const headers = { 'idempotency-key': 'extend-1' };
  const put = await api.call('PUT', `${ACCESS}/extender`, { body: { extendBy: '1M' }, headers });
  expect(put.status).toBe(202);
  expect(put.body.desired).toBeNull();
  await api.work('one', new Map([['extender', { state: 'granted', expiresAt: Date.UTC(2040, 0, 31) }]]));
  const read = await api.call('GET', `${ACCESS}/extender`);
  expect(read.body.applied).toMatchObject({ state: 'granted', expiresAt: '2040-02-29T00:00:00.000Z' });
});

test('a client that prefers to wait gets 200 when the operation settles meanwhile', async () => {
  const waiting = api.call('PUT', `${ACCESS}/waiter`, { body: { expiresAt: null }, headers: { prefer: 'wait=60' } });
  const seen = new Promise<void>((resolve) => {
    const look = setInterval(() => {
      if (!api.rung.some(({ account }) => account === 'one')) return;
      clearInterval(look);
      resolve();
    }, 5);
  });
  api.rung.length = 0;
  await seen;
  await api.work('one');
  const put = await waiting;
  expect(put.status).toBe(200);
  expect(put.headers['preference-applied']).toBe('wait=60');
  expect(put.body).toMatchObject({ status: 'settled', applied: { state: 'granted', expiresAt: null } });
});

test('a wait that is too short answers 202', async () => {
  const headers = { prefer: 'wait=1' };
  const put = await api.call('PUT', `${ACCESS}/impatient`, { body: { duration: '30D' }, headers });
  expect(put.status).toBe(202);
  await api.work('one');
});

test('what is so already is unchanged at once', async () => {
  const first = await api.call('DELETE', `${ACCESS}/gone`);
  expect(first.status).toBe(202);
  await api.work('one');
  const second = await api.call('DELETE', `${ACCESS}/gone`, { headers: { prefer: 'wait=5' } });
  expect(second.status).toBe(200);
  const operation = await api.call('GET', `/v1/operations/${second.body.operation}`);
  expect(operation.body).toMatchObject({ status: 'settled', outcome: 'unchanged' });
});

test('an operation that was superseded is still readable', async () => {
  const first = await api.call('PUT', `${ACCESS}/changing`, { body: { duration: '1D' } });
  await api.call('DELETE', `${ACCESS}/changing`);
  const read = await api.call('GET', `/v1/operations/${first.body.operation}`);
  expect(read.body).toMatchObject({ status: 'settled', outcome: 'superseded' });
  await api.work('one');
});

test('the same Idempotency-Key and body answer as the first time, with one effect', async () => {
  const headers = { 'idempotency-key': 'pay-77' };
  const first = await api.call('PUT', `${ACCESS}/payer`, { body: { extendBy: '1M' }, headers });
  const again = await api.call('PUT', `${ACCESS}/payer`, { body: { extendBy: '1M' }, headers });
  expect(again.status).toBe(first.status);
  expect(again.body).toEqual(first.body);
  expect(again.headers['idempotency-replayed']).toBe('true');
  const other = await api.call('PUT', `${ACCESS}/payer`, { body: { extendBy: '2M' }, headers });
  expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
  const elsewhere = await api.call('PUT', `${ACCESS}/payer2`, { body: { extendBy: '2M' }, headers });
  expect(elsewhere.status).toBe(202);
  expect((await api.call('GET', `${ACCESS}/payer`)).body.version).toBe(1);
});

test('of two requests under one key at the same time one runs and the other hears that it is running', async () => {
  const headers = { 'idempotency-key': 'twins' };
  const send = () => api.call('PUT', `${ACCESS}/twin`, { body: { extendBy: '1M' }, headers });
  const answers = await Promise.all([send(), send(), send()]);
  const accepted = answers.filter(({ status }) => status === 202);
  expect(accepted.length).toBeGreaterThan(0);
  for (const { body } of accepted) expect(body).toEqual(accepted[0]?.body);
  for (const { status, body, headers: said } of answers) {
    if (status === 202) continue;
    expect([status, body.code]).toEqual([409, 'request_running']);
    expect(Number(said['retry-after'])).toBeGreaterThan(0);
  }
  expect((await api.call('GET', `${ACCESS}/twin`)).body.version).toBe(1);
});

test('a request whose first try died goes on with the same operation', async () => {
  const headers = { 'idempotency-key': 'dies' };
  const { idempotency } = api.directory;
  const scope = `admin PUT ${ACCESS}/mortal`;
  const begun = await idempotency.begin(scope, 'dies', null, 'one.AAAAAAAAAAAAAAAAAAAAAA');
  if (begun.verdict !== 'fresh') throw new Error('the key is not fresh');
  await idempotency.abandon(scope, 'dies', begun.lease);
  const put = await api.call('PUT', `${ACCESS}/mortal`, { body: { duration: '1D' }, headers });
  expect(put.status).toBe(202);
  expect(put.body.operation).toBe('one.AAAAAAAAAAAAAAAAAAAAAA');
});

test('the 33rd pending extension of an access is refused with 429', async () => {
  for (let i = 0; i < 32; i++) {
    const headers = { 'idempotency-key': `many-${i}` };
    expect((await api.call('PUT', `${ACCESS}/many`, { body: { extendBy: '1D' }, headers })).status).toBe(202);
  }
  const headers = { 'idempotency-key': 'many-32' };
  const refused = await api.call('PUT', `${ACCESS}/many`, { body: { extendBy: '1D' }, headers });
  expect([refused.status, refused.body.code]).toEqual([429, 'too_many_pending']);
  expect(refused.headers['retry-after']).toBeDefined();
});

test('a failed operation is listed as such and can be retried', async () => {
  await api.work('one');
  await api.call('PUT', `${ACCESS}/unlucky`, { body: { duration: '30D' } });
  await api.work('one', new Map(), () => ({ failing: 'UNAVAILABLE' }));
  expect((await api.call('GET', `${ACCESS}/unlucky`)).body.status).toBe('failed');
  const failed = await api.call('GET', `${ACCESS}?status=failed`);
  expect(failed.body.items.map(({ username }: { username: string }) => username)).toEqual(['unlucky']);

  const retry = await api.call('POST', `${ACCESS}/unlucky/retry`);
  expect([retry.status, retry.body.status]).toEqual([202, 'pending']);
  await api.work('one');
  expect((await api.call('GET', `${ACCESS}/unlucky`)).body.applied.state).toBe('granted');
  const nothing = await api.call('POST', `${ACCESS}/unlucky/retry`);
  expect([nothing.status, nothing.body.code]).toEqual([409, 'nothing_to_retry']);
});

test('a list pages through all accesses of a script exactly once', async () => {
  const seen: string[] = [];
  let next: string | null = '';
  while (next !== null) {
    const page = await api.call('GET', `${ACCESS}?limit=2${next === '' ? '' : `&cursor=${next}`}`);
    expect(page.status).toBe(200);
    expect(page.body.items.length).toBeLessThanOrEqual(2);
    seen.push(...page.body.items.map(({ username }: { username: string }) => username));
    next = page.body.next;
  }
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen).toEqual(expect.arrayContaining(['Alice', 'extender', 'unlucky', 'payer2']));
});

test('one user is read over all scripts', async () => {
  const { body } = await api.call('GET', '/v1/users/@ALICE/access');
  expect(body).toEqual({ items: [expect.objectContaining({ script: SCRIPT, username: 'Alice' })], next: null });
});

test.each([
  ['GET', `${ACCESS}/nobody`, 404, 'unknown_access'],
  ['GET', `/v1/scripts/${UNKNOWN_SCRIPT}/access/x`, 404, 'unknown_script'],
  ['GET', '/v1/scripts/nonsense/access/x', 400, 'invalid_script'],
  ['GET', `${ACCESS}/${'x'.repeat(65)}`, 400, 'invalid_username'],
  ['GET', `${ACCESS}?limit=0`, 400, 'invalid_request'],
  ['GET', `${ACCESS}?limit=1001`, 400, 'invalid_request'],
  ['GET', `${ACCESS}?colour=red`, 400, 'unknown_field'],
  ['GET', `${ACCESS}?cursor=nonsense`, 400, 'invalid_cursor'],
  ['GET', '/v1/operations/one.short', 404, 'unknown_operation'],
  ['GET', '/v1/operations/one.AAAAAAAAAAAAAAAAAAAAAZ', 404, 'unknown_operation'],
  ['POST', `${ACCESS}/Alice/unknown`, 404, 'not_found'],
  ['POST', `${ACCESS}/Alice`, 404, 'not_found'],
  ['GET', '/%', 400, 'invalid_request'],
] as const)('%s %s is answered %i %s', async (method, url, status, code) => {
  const answer = await api.call(method, url);
  expect([answer.status, answer.body.code]).toEqual([status, code]);
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(answer.body).toMatchObject({ type: `urn:pinegate:problem:${code}`, status });
});

test('while Redis is nearly full nothing more is accepted, and reading goes on', async () => {
  api.full = true;
  const put = await api.call('PUT', `${ACCESS}/late`, { body: { duration: '1D' } });
  expect([put.status, put.body.code]).toEqual([503, 'storage_full']);
  expect(put.headers['retry-after']).toBeDefined();
  expect((await api.call('GET', `${ACCESS}/Alice`)).status).toBe(200);
  api.full = false;
});
