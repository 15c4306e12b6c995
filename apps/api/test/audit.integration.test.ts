import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, beforeEach, expect, inject, test, vi } from 'vitest';
import { ACCESS, type ApiHarness, openApiHarness, SCRIPT } from './api-harness.ts';

const COOKIE = 'canary-cookie-0123456789';

let api: ApiHarness;

beforeAll(async () => {
  api = await openApiHarness(inject('redisUrl'), { maxTries: 1 });
});
afterAll(() => api.close());
beforeEach(async () => {
  await api.call('PUT', '/v1/accounts/one', { body: { scripts: [SCRIPT], reason: 'first customer' } });
});

const newest = async (query = '') => (await api.call('GET', `/v1/audit?limit=1${query}`)).body.items[0];

test('an account that is created, replaced and removed is audited with who, why, before and after', async () => {
  expect(await newest()).toMatchObject({
    actor: 'admin',
    actorName: 'admin',
    address: '127.0.0.1',
    action: 'account.put',
    target: 'one',
    reason: 'first customer',
    result: 'done',
    code: null,
  });
  await api.call('PUT', '/v1/accounts/one', { body: { scripts: [SCRIPT], maxInFlight: 7 } });
  expect(await newest()).toMatchObject({ before: { maxInFlight: 24 }, after: { maxInFlight: 7 }, reason: null });
  await api.call('DELETE', '/v1/accounts/one', { body: { reason: 'left us' } });
  expect(await newest()).toMatchObject({
    action: 'account.remove',
    reason: 'left us',
    before: { maxInFlight: 7 },
    after: null,
  });
});

test('pausing and resuming are audited', async () => {
  await api.call('POST', '/v1/accounts/one/pause', { body: { reason: 'TradingView maintenance' } });
  const reason = 'TradingView maintenance';
  expect(await newest()).toMatchObject({
    action: 'account.pause',
    reason,
    after: { state: 'paused', reason: 'operator' },
  });
  await api.call('POST', '/v1/accounts/one/resume');
  expect(await newest()).toMatchObject({ action: 'account.resume', before: { state: 'paused' }, result: 'done' });
});

test('fresh cookies are audited without them', async () => {
  api.tasks.checkSession = async (account) => {
    const session = await api.directory.sessions.get(account);
    await api.directory.accounts.setSession(account, 'ok', session?.postedAt ?? 0);
  };
  await api.call('PUT', '/v1/accounts/one/session', { body: { sessionid: COOKIE, reason: 'expired' } });
  expect(await newest()).toMatchObject({ action: 'session.put', target: 'one', reason: 'expired', result: 'done' });
  for (const format of ['json', 'ndjson', 'csv']) {
    const all = await api.call('GET', `/v1/audit?format=${format}`);
    expect(JSON.stringify(all.body)).toContain('session.put');
    expect(JSON.stringify(all.body)).not.toContain(COOKIE);
  }
});

test('a key that is created and removed is audited without itself', async () => {
  const { body } = await api.call('POST', '/v1/keys', { body: { name: 'shop', scopes: ['read'], reason: 'new shop' } });
  expect(await newest()).toMatchObject({
    action: 'key.create',
    target: body.id,
    after: { name: 'shop', scopes: ['read'] },
  });
  await api.call('DELETE', `/v1/keys/${body.id}?reason=leaked`);
  expect(await newest()).toMatchObject({
    action: 'key.remove',
    target: body.id,
    reason: 'leaked',
    before: { name: 'shop' },
  });
  expect(JSON.stringify((await api.call('GET', '/v1/audit')).body)).not.toContain(body.key);
});

test('a failed access that is tried again, and a batch that is, and one that is cancelled, are audited', async () => {
  const operations = [{ action: 'grant', script: SCRIPT, username: 'unlucky', duration: '1D' }];
  const { body: batch } = await api.call('POST', '/v1/batches', { body: { operations } });
  await api.work('one', new Map(), () => ({ failing: 'timeout' }));
  expect((await api.call('POST', `/v1/batches/${batch.id}/retry`, { body: { reason: 'again' } })).status).toBe(202);
  expect(await newest()).toMatchObject({
    action: 'batch.retry',
    target: batch.id,
    reason: 'again',
    after: { pending: 1 },
  });
  await api.work('one', new Map(), () => ({ failing: 'timeout' }));
  expect((await api.call('POST', `${ACCESS}/unlucky/retry`)).status).toBe(202);
  expect(await newest()).toMatchObject({
    action: 'access.retry',
    target: `${SCRIPT} unlucky`,
    before: { pending: 0 },
  });
  expect((await api.call('DELETE', `/v1/batches/${batch.id}?reason=mistake`)).status).toBe(202);
  expect(await newest()).toMatchObject({ action: 'batch.cancel', reason: 'mistake', after: { state: 'cancelled' } });
  await api.work('one');
});

test('what was refused is audited with the code of its problem', async () => {
  await api.call('PUT', `${ACCESS}/waiting`, { body: { duration: '1D' } });
  expect((await api.call('DELETE', '/v1/accounts/one')).status).toBe(409);
  expect(await newest()).toMatchObject({
    action: 'account.remove',
    result: 'refused',
    code: 'account_pending',
    after: null,
  });
  expect((await api.call('POST', '/v1/accounts/nobody/pause')).status).toBe(404);
  expect(await newest()).toMatchObject({ target: 'nobody', result: 'refused', code: 'unknown_account', before: null });
  await api.work('one');
});

test('a repetition under an Idempotency-Key is audited once', async () => {
  const headers = { 'idempotency-key': 'pause-once' };
  await api.call('POST', '/v1/accounts/one/pause', { headers });
  const { id } = await newest();
  expect((await api.call('POST', '/v1/accounts/one/pause', { headers })).headers['idempotency-replayed']).toBe('true');
  expect((await newest()).id).toBe(id);
  await api.call('POST', '/v1/accounts/one/resume');
});

test('an action that cannot be audited is not answered as done', async () => {
  const write = vi.spyOn(api.directory.audit, 'write').mockRejectedValue(new Error('Command timed out'));
  const paused = await api.call('POST', '/v1/accounts/one/pause');
  expect([paused.status, paused.body.code]).toEqual([503, 'unavailable']);
  write.mockRestore();
  await api.call('POST', '/v1/accounts/one/resume');
});

test('entries are found by actor, action, target, result and time, page by page', async () => {
  const { body: key } = await api.call('POST', '/v1/keys', { body: { name: 'operator', scopes: ['admin'] } });
  await api.call('POST', '/v1/accounts/one/pause', { key: key.key });
  await api.call('POST', '/v1/accounts/one/resume', { key: key.key });
  const query = `actor=${key.id}&target=one&result=done&from=2020-01-01T00:00:00Z`;
  const first = await api.call('GET', `/v1/audit?${query}&limit=1`);
  const second = await api.call('GET', `/v1/audit?${query}&limit=1&cursor=${first.body.next}`);
  const actions = [...first.body.items, ...second.body.items].map(({ action }: { action: string }) => action);
  expect(actions).toEqual(['account.resume', 'account.pause']);
  expect((await api.call('GET', `/v1/audit?${query}&action=account.pause`)).body.items).toHaveLength(1);
  expect((await api.call('GET', '/v1/audit?to=2020-01-01T00:00:00Z')).body).toEqual({ items: [], next: null });
});

test.each([
  ['a time without a zone', 'from=2026-01-01T00:00:00'],
  ['an action that does not exist', 'action=dance'],
  ['a cursor that is none', 'cursor=xyz'],
  ['an unknown field', 'colour=red'],
  ['an unknown format', 'format=xlsx'],
])('a list by %s is refused', async (_what, query) => {
  expect((await api.call('GET', `/v1/audit?${query}`)).status).toBe(400);
});

test('only an admin sees the audit', async () => {
  const { body } = await api.call('POST', '/v1/keys', { body: { name: 'x', scopes: ['read', 'write'] } });
  expect((await api.call('GET', '/v1/audit', { key: body.key })).status).toBe(403);
});

test('the CSV is whole, and a spreadsheet runs nothing that somebody wrote into it', async () => {
  const formula = '=HYPERLINK("http://evil.example","click")';
  const { body } = await api.call('POST', '/v1/keys', {
    body: { name: '+cmd|calc', scopes: ['read'], reason: formula },
  });
  await api.call('DELETE', `/v1/keys/${body.id}`, { body: { reason: '@SUM(1,1)\n"quoted"' } });
  const csv = await api.call('GET', `/v1/audit?format=csv&target=${body.id}`);
  expect(csv.headers).toMatchObject({
    'content-type': 'text/csv; charset=utf-8',
    'content-disposition': 'attachment; filename="pinegate-audit.csv"',
  });
  const rows = parse(csv.body as string, { columns: true }) as Record<string, string>[];
  expect(rows.map(({ action, reason }) => [action, reason])).toEqual([
    ['key.remove', `'@SUM(1,1)\n"quoted"`],
    ['key.create', `'${formula}`],
  ]);
  for (const cell of rows.flatMap((row) => Object.values(row))) expect(cell).not.toMatch(/^[=+\-@\t\r]/);
});

test('the NDJSON has one entry a line, as the list has them', async () => {
  const list = (await api.call('GET', '/v1/audit?limit=1000&action=account.put')).body.items;
  const ndjson = await api.call('GET', '/v1/audit?format=ndjson&action=account.put');
  expect(ndjson.headers['content-type']).toBe('application/x-ndjson');
  const lines = (ndjson.body as string).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual(list);
});
