import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { PROBLEMS } from '../src/problem-codes.ts';
import { ACCESS, type ApiHarness, type Called, openApiHarness, SCRIPT, UNKNOWN_SCRIPT } from './api-harness.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await openApiHarness(inject('redisUrl'));
  await api.addAccounts();
});
afterAll(() => api.close());

const FUTURE = '2040-01-01T00:00:00Z';

/** A 4xx problem whose code is in the list and fits its status. */
function expectProblem({ status, body, headers }: Called, code?: string): void {
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(500);
  expect(headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(PROBLEMS).toHaveProperty([body.code]);
  expect(PROBLEMS[body.code as keyof typeof PROBLEMS].status).toBe(status);
  expect(body.detail).toMatch(/\S/);
  if (code !== undefined) expect(body.code).toBe(code);
}

async function unwritten(call: () => Promise<void>): Promise<void> {
  const before = await api.countKeys();
  await call();
  expect(await api.countKeys()).toBe(before);
}

const BAD_GRANTS: readonly (readonly [string, unknown, string])[] = [
  ['no body', undefined, 'invalid_request'],
  ['an empty body', {}, 'expiry_missing'],
  ['a list', [], 'invalid_request'],
  ['a number', 7, 'invalid_request'],
  ['null', null, 'invalid_request'],
  ['a past date', { expiresAt: '2001-01-01T00:00:00Z' }, 'expiry_in_past'],
  ['a date without zone', { expiresAt: '2040-01-01T00:00:00' }, 'invalid_expiry'],
  ['a day that is none', { expiresAt: '2039-02-29T00:00:00Z' }, 'invalid_expiry'],
  ['a number as date', { expiresAt: 2_208_988_800 }, 'invalid_expiry'],
  ['an empty date', { expiresAt: '' }, 'invalid_expiry'],
  ['two of them', { expiresAt: FUTURE, duration: '1D' }, 'expiry_ambiguous'],
  ['all three', { expiresAt: null, duration: '1D', extendBy: '1D' }, 'expiry_ambiguous'],
  ['an extension without key', { extendBy: '1M' }, 'idempotency_key_required'],
  ['an extension for life', { extendBy: '1L' }, 'invalid_duration'],
  ['a duration of nothing', { duration: '0D' }, 'invalid_duration'],
  ['a duration in hours', { duration: '5H' }, 'invalid_duration'],
  ['a negative duration', { duration: '-5D' }, 'invalid_duration'],
  ['a duration of null', { duration: null }, 'invalid_duration'],
  ['two lifetimes', { duration: '2L' }, 'invalid_duration'],
  ['an unknown field', { expiresAt: null, until: FUTURE }, 'unknown_field'],
  ['a field of the path', { expiresAt: null, username: 'x' }, 'unknown_field'],
  ['a field of another spelling', { expires_at: FUTURE }, 'unknown_field'],
];

test.each(BAD_GRANTS)('a grant with %s is refused and nothing is written', async (_what, body, code) => {
  await unwritten(async () => expectProblem(await api.call('PUT', `${ACCESS}/x`, { body }), code));
});

const BAD_ROWS: readonly (readonly [string, unknown, string])[] = [
  ['null', null, 'invalid_row'],
  ['a list', [1], 'invalid_row'],
  ['no action', { script: SCRIPT, username: 'x' }, 'invalid_action'],
  ['another action', { action: 'delete', script: SCRIPT, username: 'x' }, 'invalid_action'],
  ['no script', { action: 'revoke', username: 'x' }, 'invalid_script'],
  ['a script in capitals', { action: 'revoke', script: SCRIPT.toUpperCase(), username: 'x' }, 'invalid_script'],
  ['an unknown script', { action: 'revoke', script: UNKNOWN_SCRIPT, username: 'x' }, 'unknown_script'],
  ['no username', { action: 'revoke', script: SCRIPT }, 'invalid_username'],
  ['65 characters', { action: 'revoke', script: SCRIPT, username: 'x'.repeat(65) }, 'invalid_username'],
  ['a space within', { action: 'revoke', script: SCRIPT, username: 'a b' }, 'invalid_username'],
  [
    'a revoke with a date',
    { action: 'revoke', script: SCRIPT, username: 'x', expiresAt: FUTURE },
    'expiry_not_allowed',
  ],
  [
    'a key of prototypes',
    JSON.parse(`{"__proto__":1,"action":"revoke","script":"${SCRIPT}","username":"x"}`),
    'unknown_field',
  ],
  ...BAD_GRANTS.filter(
    ([, body]) => typeof body === 'object' && body !== null && !Array.isArray(body) && !('username' in body),
  ).map(
    ([what, body, code]) =>
      [`a grant with ${what}`, { action: 'grant', script: SCRIPT, username: 'x', ...(body as object) }, code] as const,
  ),
];

test('each bad row is rejected with its number and code, in JSON and NDJSON alike, and the good rows go on', async () => {
  const good = (i: number) => ({ action: 'revoke', script: SCRIPT, username: `good-${i}` });
  const rows = BAD_ROWS.flatMap(([, row], i) => [good(i), row]);
  const ndjson = rows.map((row) => JSON.stringify(row)).join('\n');
  for (const options of [{ body: { operations: rows } }, { body: ndjson, type: 'application/x-ndjson' }]) {
    const { status, body } = await api.call('POST', '/v1/batches', options);
    expect([status, body.rows, body.accepted, body.rejected]).toEqual([
      202,
      rows.length,
      BAD_ROWS.length,
      BAD_ROWS.length,
    ]);
    expect(body.rejections.map(({ row, code }: { row: number; code: string }) => [row, code])).toEqual(
      BAD_ROWS.map(([, , code], i) => [2 * i + 2, code]),
    );
  }
});

test('whatever JSON is sent to a route, the answer is no 5xx, and a refusal writes nothing', async () => {
  const targets = [
    ['PUT', `${ACCESS}/x`],
    ['DELETE', `${ACCESS}/x`],
    ['POST', `${ACCESS}/x/retry`],
    ['POST', '/v1/batches'],
    ['DELETE', '/v1/batches/b_x'],
    ['PUT', '/v1/accounts/fuzzed'],
    ['PUT', '/v1/accounts/one/session'],
    ['POST', '/v1/accounts/nobody/pause'],
    ['POST', '/v1/keys'],
    ['POST', '/v1/usernames/validate'],
  ] as const;
  const field = fc.constantFrom(
    'expiresAt',
    'duration',
    'operations',
    'scripts',
    'budgets',
    'sessionid',
    'name',
    'scopes',
    'usernames',
  );
  const json = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.dictionary(field, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }),
  );
  const wait = { prefer: 'wait=0' };
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...targets), json, async ([method, url], body) => {
      const before = await api.countKeys();
      const answer = await api.call(method, url, { body, headers: wait });
      expect(answer.status).toBeLessThan(500);
      if (answer.status < 400) return;
      expectProblem(answer);
      expect(await api.countKeys()).toBe(before);
    }),
    { numRuns: 600 },
  );
});

test('whatever bytes are sent as a batch, the answer is no 5xx and every row is accepted or rejected', async () => {
  const noise = fc.string({
    unit: fc.oneof(
      fc.constantFrom(
        '"',
        ',',
        '\n',
        '\r\n',
        '\0',
        '{',
        '}',
        'grant',
        'revoke',
        SCRIPT,
        'alice',
        'lifetime',
        '1D',
        '\uFEFF',
      ),
      fc.string({ maxLength: 3 }),
    ),
    maxLength: 60,
  });
  const types = fc.constantFrom('text/csv', 'application/x-ndjson', 'application/json');
  const header = 'action,script,username,expires_at,duration,extend_by\n';
  await fc.assert(
    fc.asyncProperty(types, fc.boolean(), noise, async (type, headed, text) => {
      const answer = await api.call('POST', '/v1/batches', { type, body: headed ? header + text : text });
      expect(answer.status).toBeLessThan(500);
      if (answer.status !== 202) return expectProblem(answer);
      const { rows, accepted, rejected, rejections } = answer.body;
      expect(accepted + rejected).toBe(rows);
      expect(rejections.length).toBe(Math.min(rejected, 100));
      for (const { row, code } of rejections) {
        expect(row).toBeGreaterThan(0);
        expect(row).toBeLessThanOrEqual(rows);
        expect(PROBLEMS).toHaveProperty([code]);
      }
    }),
    { numRuns: 500 },
  );
});

test('whatever stands in a path or query, the answer is no 5xx', async () => {
  const part = fc.oneof(
    fc.string({ maxLength: 80 }).map(encodeURIComponent),
    fc.constantFrom('%', '%zz', '%00', '%2F', '..', ''),
  );
  const templates = fc.constantFrom(
    (a: string, b: string) => `/v1/scripts/${a}/access/${b}`,
    (a: string, b: string) => `${ACCESS}?cursor=${a}&status=${b}`,
    (a: string, b: string) => `/v1/operations/${a}?x=${b}`,
    (a: string, b: string) => `/v1/batches/${a}/failures?cursor=${b}`,
    (a: string, b: string) => `/v1/accounts/${a}?${b}`,
    (a: string, b: string) => `/v1/users/${a}/access?limit=${b}`,
  );
  await fc.assert(
    fc.asyncProperty(templates, part, part, async (template, a, b) => {
      const answer = await api.call('GET', template(a, b));
      expect(answer.status).toBeLessThan(500);
      if (answer.status >= 400) expectProblem(answer);
    }),
    { numRuns: 400 },
  );
});

test.each([
  ['an empty Idempotency-Key', { 'idempotency-key': '' }, 'invalid_header'],
  ['an Idempotency-Key with a space', { 'idempotency-key': 'a b' }, 'invalid_header'],
  ['an Idempotency-Key of 201 characters', { 'idempotency-key': 'k'.repeat(201) }, 'invalid_header'],
])('%s is refused', async (_what, headers, code) => {
  await unwritten(async () =>
    expectProblem(await api.call('PUT', `${ACCESS}/x`, { body: { duration: '1D' }, headers }), code),
  );
});
