import type { AccessState } from '@pinegate/access';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type ApiHarness, OTHER_SCRIPT, openApiHarness, SCRIPT, UNKNOWN_SCRIPT } from './api-harness.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await openApiHarness(inject('redisUrl'));
  await api.addAccounts();
});
afterAll(() => api.close());

const BATCHES = '/v1/batches';
const NO_OUTCOMES = {
  granted: 0,
  changed: 0,
  revoked: 0,
  unchanged: 0,
  superseded: 0,
  rejected: 0,
  failed: 0,
  cancelled: 0,
};

function sumOf(outcomes: Record<string, number>): number {
  return Object.values(outcomes).reduce((sum, count) => sum + count, 0);
}

async function usernamesOf(script: string): Promise<string[]> {
  const page = await api.call('GET', `/v1/scripts/${encodeURIComponent(script)}/access?limit=1000`);
  return page.body.items.map(({ username }: { username: string }) => username).sort();
}

test('a JSON batch over two accounts is accepted, with its bad rows named, and its answer sums the accounts', async () => {
  const operations = [
    { action: 'grant', script: SCRIPT, username: '@json-a', expiresAt: null },
    { action: 'grant', script: OTHER_SCRIPT, username: 'json-b', duration: '30D' },
    { action: 'revoke', script: SCRIPT, username: 'json-c' },
    { action: 'grant', script: UNKNOWN_SCRIPT, username: 'json-d', expiresAt: null },
    { action: 'grant', script: SCRIPT, username: 'json-e', extendBy: '1M' },
    'nonsense',
  ];
  const { status, body } = await api.call('POST', BATCHES, { body: { operations } });
  expect(status).toBe(202);
  expect(body).toEqual({
    id: expect.stringMatching(/^b_[0-9a-f]{32}$/),
    rows: 6,
    accepted: 3,
    rejected: 3,
    rejections: [
      { row: 4, code: 'unknown_script', detail: expect.any(String) },
      { row: 5, code: 'idempotency_key_required', detail: expect.any(String) },
      { row: 6, code: 'invalid_row', detail: expect.any(String) },
    ],
  });
  const running = await api.call('GET', `${BATCHES}/${body.id}`);
  expect(running.body).toMatchObject({
    id: body.id,
    state: 'running',
    rows: 6,
    rejected: 3,
    total: 3,
    pending: 3,
    outcomes: NO_OUTCOMES,
    ratePerSecond: 0,
    etaSeconds: null,
  });
  await api.work('one');
  await api.work('two');
  const done = await api.call('GET', `${BATCHES}/${body.id}`);
  expect(done.body).toMatchObject({ state: 'done', pending: 0, outcomes: { ...NO_OUTCOMES, granted: 2, revoked: 1 } });
});

test('pairs count script by script', async () => {
  const body = {
    action: 'grant',
    scripts: [SCRIPT, OTHER_SCRIPT],
    usernames: ['pair-a', '!', 'pair-b'],
    duration: '1M',
  };
  const posted = await api.call('POST', BATCHES, { body });
  expect(posted.body).toMatchObject({ rows: 6, accepted: 4, rejected: 2 });
  expect(posted.body.rejections.map(({ row }: { row: number }) => row)).toEqual([2, 5]);
  expect(await usernamesOf(OTHER_SCRIPT)).toEqual(expect.arrayContaining(['pair-a', 'pair-b']));
});

test('CSV and NDJSON say the same thing as JSON', async () => {
  const csv = [
    'username,action,script,expires_at',
    `csv-a,grant,${SCRIPT},lifetime`,
    '',
    `csv-b,revoke,${SCRIPT}`,
  ].join('\r\n');
  const ndjson = [
    JSON.stringify({ action: 'grant', script: SCRIPT, username: 'nd-a', expiresAt: null }),
    '{',
    JSON.stringify({ action: 'revoke', script: SCRIPT, username: 'nd-b' }),
  ].join('\n');
  const first = await api.call('POST', BATCHES, { body: csv, type: 'text/csv; charset=utf-8' });
  expect([first.status, first.body.rows, first.body.accepted]).toEqual([202, 2, 2]);
  const second = await api.call('POST', BATCHES, { body: ndjson, type: 'application/x-ndjson' });
  expect(second.body).toMatchObject({ rows: 3, accepted: 2, rejections: [{ row: 2, code: 'invalid_row' }] });
  expect(await usernamesOf(SCRIPT)).toEqual(expect.arrayContaining(['csv-a', 'csv-b', 'nd-a', 'nd-b']));
});

test('the query stands in for CSV columns, and is refused where there are none', async () => {
  const query = `?action=revoke&script=${encodeURIComponent(SCRIPT)}`;
  const csv = await api.call('POST', `${BATCHES}${query}`, { body: 'username\nq-a\nq-b\n', type: 'text/csv' });
  expect(csv.body).toMatchObject({ rows: 2, accepted: 2 });
  const json = await api.call('POST', `${BATCHES}${query}`, { body: { operations: [] } });
  expect([json.status, json.body.code]).toEqual([400, 'invalid_request']);
});

test('a batch of 50 rows has someone waiting for it, one of 51 has not', async () => {
  const rows = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ action: 'revoke', script: SCRIPT, username: `lane-${count}-${i}` }));
  api.rung.length = 0;
  await api.call('POST', BATCHES, { body: { operations: rows(50) } });
  await api.call('POST', BATCHES, { body: { operations: rows(51) } });
  expect(api.rung.flatMap(({ bells }) => Object.keys(bells))).toEqual(['revoke', 'revoke-bulk']);
});

test('a batch without one good row is done at once', async () => {
  const { status, body } = await api.call('POST', BATCHES, { body: { operations: [null, 1] } });
  expect([status, body.accepted, body.rejected]).toEqual([202, 0, 2]);
  expect((await api.call('GET', `${BATCHES}/${body.id}`)).body).toMatchObject({
    state: 'done',
    total: 0,
    pending: 0,
    etaSeconds: 0,
  });
});

test('of many rejections the first 100 are told', async () => {
  const operations = Array.from({ length: 2_500 }, () => ({}));
  const { body } = await api.call('POST', BATCHES, { body: { operations } });
  expect(body).toMatchObject({ rows: 2_500, accepted: 0, rejected: 2_500 });
  expect(body.rejections).toHaveLength(100);
  expect(body.rejections[99]).toMatchObject({ row: 100, code: 'invalid_action' });
});

test('a large stream arrives whole and in order, once under its key', async () => {
  // Every user is granted and later revoked: only the order of the rows makes the end right.
  const names = Array.from({ length: 2_300 }, (_, i) => `big-${i}`);
  const lines = [
    ...names.map((name) => `grant,${SCRIPT},${name},lifetime`),
    ...names.map((name) => `revoke,${SCRIPT},${name},`),
  ];
  const csv = `action,script,username,expires_at\n${lines.join('\n')}\n`;
  const headers = { 'idempotency-key': 'big' };
  const posted = await api.call('POST', BATCHES, { body: csv, type: 'text/csv', headers });
  expect(posted.body).toMatchObject({ rows: 4_600, accepted: 4_600, rejected: 0 });
  const again = await api.call('POST', BATCHES, { body: csv, type: 'text/csv', headers });
  expect([again.status, again.body, again.headers['idempotency-replayed']]).toEqual([202, posted.body, 'true']);
  const other = await api.call('POST', BATCHES, { body: `${csv}revoke,${SCRIPT},x,\n`, type: 'text/csv', headers });
  expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);

  const upstream = new Map<string, AccessState>();
  await api.work('one', upstream);
  const { body } = await api.call('GET', `${BATCHES}/${posted.body.id}`);
  expect(body).toMatchObject({ state: 'done', total: 4_600, pending: 0 });
  expect(sumOf(body.outcomes)).toBe(4_600);
  for (const name of names) expect(upstream.get(name)?.state).toBe('none');
});

test('a cancelled batch says so at once, and what was pending ends cancelled', async () => {
  const operations = Array.from({ length: 1_500 }, (_, i) => ({
    action: 'revoke',
    script: SCRIPT,
    username: `cancel-${i}`,
  }));
  const { body } = await api.call('POST', BATCHES, { body: { operations } });
  const cancelled = await api.call('DELETE', `${BATCHES}/${body.id}`);
  expect([cancelled.status, cancelled.body.state]).toEqual([202, 'cancelled']);
  await expect.poll(async () => (await api.call('GET', `${BATCHES}/${body.id}`)).body.pending).toBe(0);
  const seen = await api.call('GET', `${BATCHES}/${body.id}`);
  expect(seen.body).toMatchObject({ state: 'cancelled', outcomes: { cancelled: 1_500 } });
});

test('failures are listed over all accounts page by page, and a retry takes the failed ones', async () => {
  const operations = [SCRIPT, OTHER_SCRIPT].flatMap((script) =>
    ['bad-a', 'bad-b', 'no-such'].map((username) => ({ action: 'grant', script, username, duration: '9D' })),
  );
  const { body } = await api.call('POST', BATCHES, { body: { operations } });
  const answer = (username: string) =>
    username === 'no-such'
      ? { rejected: 'USER_NOT_FOUND' }
      : username.startsWith('bad')
        ? { failing: 'UNAVAILABLE' }
        : null;
  await api.work('one', new Map(), answer);
  await api.work('two', new Map(), answer);
  expect((await api.call('GET', `${BATCHES}/${body.id}`)).body.outcomes).toMatchObject({ rejected: 2, failed: 4 });

  const seen: { script: string; username: string; outcome: string; code: string }[] = [];
  let next: string | null = '';
  while (next !== null) {
    const page = await api.call('GET', `${BATCHES}/${body.id}/failures?limit=2${next === '' ? '' : `&cursor=${next}`}`);
    expect(page.status).toBe(200);
    seen.push(...page.body.items);
    next = page.body.next;
  }
  const told = seen
    .map(({ script, username, outcome }) => `${script === SCRIPT ? 1 : 2} ${username} ${outcome}`)
    .sort();
  expect(told).toEqual([
    '1 bad-a failed',
    '1 bad-b failed',
    '1 no-such rejected',
    '2 bad-a failed',
    '2 bad-b failed',
    '2 no-such rejected',
  ]);

  const retried = await api.call('POST', `${BATCHES}/${body.id}/retry`);
  expect(retried.status).toBe(202);
  expect(retried.body).toMatchObject({ state: 'running', pending: 4, outcomes: { rejected: 2, failed: 0 } });
  await api.work('one');
  await api.work('two');
  const again = await api.call('POST', `${BATCHES}/${body.id}/retry`);
  expect([again.status, again.body.code]).toEqual([409, 'nothing_to_retry']);
});

test('batches are listed newest first and by state', async () => {
  const first = await api.call('POST', BATCHES, {
    body: { operations: [{ action: 'revoke', script: SCRIPT, username: 'l-1' }] },
  });
  const second = await api.call('POST', BATCHES, { body: { operations: [] } });
  const all = await api.call('GET', `${BATCHES}?limit=2`);
  expect(all.body.items.map(({ id }: { id: string }) => id)).toEqual([second.body.id, first.body.id]);
  const running = await api.call('GET', `${BATCHES}?state=running&limit=1`);
  expect(running.body.items).toEqual([expect.objectContaining({ id: first.body.id, state: 'running' })]);
  const ids = new Set<string>();
  let next: string | null = '';
  while (next !== null) {
    const page = await api.call('GET', `${BATCHES}?state=done&limit=3${next === '' ? '' : `&cursor=${next}`}`);
    for (const { id, state } of page.body.items) {
      expect(state).toBe('done');
      expect(ids.has(id)).toBe(false);
      ids.add(id);
    }
    next = page.body.next;
  }
  expect(ids.has(second.body.id)).toBe(true);
});

test('rows beyond the chain of an access are rejected and counted', async () => {
  const operations = Array.from({ length: 40 }, () => ({
    action: 'grant',
    script: SCRIPT,
    username: 'chained',
    extendBy: '1D',
  }));
  const headers = { 'idempotency-key': 'chain' };
  const { body } = await api.call('POST', BATCHES, { body: { operations }, headers });
  expect(body).toMatchObject({ rows: 40, accepted: 32, rejected: 8 });
  expect(body.rejections[0]).toMatchObject({ row: 33, code: 'too_many_pending' });
  expect((await api.call('GET', `${BATCHES}/${body.id}`)).body).toMatchObject({ total: 32, rejected: 8 });
});

test.each([
  ['no batch', 'GET', `${BATCHES}/b_${'0'.repeat(32)}`, undefined, undefined, 404, 'unknown_batch'],
  ['no batch to cancel', 'DELETE', `${BATCHES}/b_x`, undefined, undefined, 404, 'unknown_batch'],
  ['no batch to retry', 'POST', `${BATCHES}/b_x/retry`, undefined, undefined, 404, 'unknown_batch'],
  ['no batch to follow', 'GET', `${BATCHES}/b_x/events`, undefined, undefined, 404, 'unknown_batch'],
  ['an unknown state', 'GET', `${BATCHES}?state=odd`, undefined, undefined, 400, 'invalid_request'],
  ['a forged cursor', 'GET', `${BATCHES}?cursor=MTp4`, undefined, undefined, 400, 'invalid_cursor'],
  ['no operations', 'POST', BATCHES, '{}', 'application/json', 400, 'invalid_request'],
  ['a list', 'POST', BATCHES, '[]', 'application/json', 400, 'invalid_request'],
  ['an unknown field', 'POST', BATCHES, '{"operations":[],"x":1}', 'application/json', 400, 'unknown_field'],
  ['no JSON', 'POST', BATCHES, '{"operations":[', 'application/json', 400, 'invalid_json'],
  ['no UTF-8', 'POST', BATCHES, Buffer.from([0x22, 0xff, 0x22]), 'application/json', 400, 'invalid_json'],
  ['no body', 'POST', BATCHES, '', 'application/json', 400, 'invalid_request'],
  ['an unknown type', 'POST', BATCHES, 'x', 'application/xml', 415, 'unsupported_media_type'],
  ['another charset', 'POST', BATCHES, 'username\n', 'text/csv; charset=utf-16', 415, 'unsupported_media_type'],
  ['a CSV that is none', 'POST', BATCHES, 'a,b\n1,2\n', 'text/csv', 400, 'unknown_column'],
  ['a CSV without actions', 'POST', BATCHES, 'script,username\n', 'text/csv', 400, 'missing_column'],
] as const)('%s is refused and nothing is written', async (_what, method, url, body, type, status, code) => {
  const before = await api.countKeys();
  const options = { ...(body === undefined ? {} : { body }), ...(type === undefined ? {} : { type }) };
  const answer = await api.call(method, url, options);
  expect([answer.status, answer.body.code]).toEqual([status, code]);
  expect(await api.countKeys()).toBe(before);
});

test('bodies over a limit are refused and nothing is written', async () => {
  const before = await api.countKeys();
  const large = await api.call('POST', BATCHES, {
    body: `{"operations":["${'x'.repeat(8_400_000)}"]}`,
    type: 'application/json',
  });
  expect([large.status, large.body.code]).toEqual([413, 'body_too_large']);
  const usernames = Array.from({ length: 1_001 }, (_, i) => `u${i}`);
  const scripts = Array.from({ length: 1_000 }, () => SCRIPT);
  const pairs = await api.call('POST', BATCHES, { body: { action: 'revoke', scripts, usernames } });
  expect([pairs.status, pairs.body.code]).toEqual([413, 'too_many_rows']);
  const zipped = await api.call('POST', BATCHES, {
    body: 'x',
    type: 'text/csv',
    headers: { 'content-encoding': 'gzip' },
  });
  expect([zipped.status, zipped.body.code]).toEqual([415, 'unsupported_media_type']);
  expect(await api.countKeys()).toBe(before);
});
