import { waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Answer, CallOptions } from '../stack/stack-client.ts';
import { type FaultStack, openFaultStack, SCRIPT } from './open-fault-stack.ts';
import { seededRandom } from './seed.ts';

const REQUESTS = 500;
const ROWS = 500;
const GOOD = { action: 'grant', script: SCRIPT, expiresAt: '2031-06-01T00:00:00.000Z' };

let stack: FaultStack;

beforeAll(async () => {
  stack = await openFaultStack('malformed');
});
afterAll(() => stack?.stop());

const random = seededRandom('malformed');
const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;

const BAD_GRANTS: readonly object[] = [
  {},
  { expiresAt: '2001-01-01T00:00:00Z' },
  { expiresAt: '2031-06-01' },
  { expiresAt: '2031-02-30T00:00:00Z' },
  { expiresAt: 7 },
  { expiresAt: null, duration: '1M' },
  { duration: '1X' },
  { duration: '0D' },
  { duration: ['1D'] },
  { extendBy: '1L' },
  { expiresAt: null, until: 'x' },
  { duration: '1D', unknown: 'field' },
];
const BAD_NAMES = ['a b', 'ü', 'x'.repeat(65), '', '\u0000', '../..', 'a/b', "'; DROP TABLE users", '{{7*7}}', '%'];
const BAD_SCRIPTS = [
  'PUB;xyz',
  `pub;${'f1'.repeat(16)}`,
  `PUB;${'F1'.repeat(16)}`,
  'USER;x',
  '',
  `PUB;${'e'.repeat(32)}`,
];
const BAD_BODIES = ['', '{', '[]', 'null', '7', '"x"', '{"expiresAt":', '\u0000', '{"expiresAt":null}}', '<xml/>'];

const access = (script: string, name: string) =>
  `/v1/scripts/${encodeURIComponent(script)}/access/${encodeURIComponent(name)}`;
const json = { 'content-type': 'application/json' };

/** A request that is wrong in one of the ways that there are. */
function badRequest(): [method: string, path: string, options: CallOptions] {
  const name = `half_${Math.floor(random() * 1e6)}`;
  return pick<() => [string, string, CallOptions]>([
    () => ['PUT', access(SCRIPT, name), { body: pick(BAD_GRANTS) }],
    () => ['PUT', access(SCRIPT, name), { raw: pick(BAD_BODIES), headers: json }],
    () => ['PUT', access(SCRIPT, pick(BAD_NAMES)), { body: { expiresAt: null } }],
    () => ['PUT', access(pick(BAD_SCRIPTS), name), { body: { expiresAt: null } }],
    () => ['PUT', access(SCRIPT, name), { body: { extendBy: '1M' } }],
    () => [
      'PUT',
      access(SCRIPT, name),
      { raw: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    ],
    () => ['DELETE', access(SCRIPT, pick(BAD_NAMES)), {}],
    () => ['PUT', access(SCRIPT, name), { body: { expiresAt: null }, key: pick([null, 'no such key']) }],
    () => ['POST', '/v1/batches', { raw: pick(BAD_BODIES), headers: json }],
    () => ['POST', '/v1/batches', { body: { operations: pick([7, 'x', null, {}]) } }],
    () => ['POST', '/v1/batches', { raw: 'who,what\na,b\n', headers: { 'content-type': 'text/csv' } }],
    () => ['POST', '/v1/keys', { body: pick([{}, { name: '' }, { name: 'x', scopes: ['root'] }]) }],
  ])();
}

/** Without BullMQ's own look for stalled jobs, which comes and goes. */
async function keysOfAccount(): Promise<string[]> {
  const keys = await stack.redisClient.keys('{pinegate:alpha}:*');
  return keys.filter((key) => !key.endsWith(':stalled-check')).sort();
}

/** Once the lanes run and the slot is given back that the check of the cookies had. */
async function startedKeys(): Promise<string[] | false> {
  const keys = await keysOfAccount();
  const lanes = keys.filter((key) => key.endsWith(':meta'));
  return (
    lanes.length === 4 && keys.includes('{pinegate:alpha}:epoch') && !keys.includes('{pinegate:alpha}:slots') && keys
  );
}

test('five hundred malformed requests of every kind: each a 4xx with a code, and nothing is written', async () => {
  const before = await waitFor(startedKeys, { what: 'the lanes of the account to start' });
  for (let sent = 0; sent < REQUESTS; sent++) {
    const [method, path, options] = badRequest();
    expectRefused(await stack.call(method, path, options), `${method} ${path} ${JSON.stringify(options)}`);
  }
  expect(await keysOfAccount()).toEqual(before);
});

test('five hundred malformed rows among good ones: each rejected with its number and a code, the good ones applied', async () => {
  const rows: { readonly good: boolean; readonly text: string }[] = [];
  for (let i = 0; i < ROWS; i++) {
    rows.push({ good: true, text: JSON.stringify({ ...GOOD, username: `good_${i}` }) });
    rows.push({ good: false, text: badRow(i) });
  }
  rows.sort(() => random() - 0.5);
  const raw = `${rows.map(({ text }) => text).join('\n')}\n`;
  const headers = { 'content-type': 'application/x-ndjson' };
  const { status, body } = await stack.call('POST', '/v1/batches', { raw, headers });
  expect([status, body.rows, body.accepted, body.rejected]).toEqual([202, 2 * ROWS, ROWS, ROWS]);
  const badNumbers = rows.flatMap(({ good }, i) => (good ? [] : [i + 1]));
  expect(body.rejections.map((r: { row: number }) => r.row)).toEqual(badNumbers.slice(0, 100));
  for (const { code } of body.rejections) expect(code).toMatch(/^[a-z_]+$/);
  const done = await stack.drained(body.id);
  // A request that was slow is sent again, and then finds the user there.
  expect([done.total, done.outcomes.granted + done.outcomes.changed]).toEqual([ROWS, ROWS]);
  expect([...(await stack.members(SCRIPT)).keys()].filter((name) => !name.startsWith('good_'))).toEqual([]);
});

function badRow(i: number): string {
  const username = `bad_${i}`;
  const { expiresAt: _, ...grant } = GOOD;
  return pick<() => string>([
    () => JSON.stringify({ ...grant, ...pick(BAD_GRANTS), username }),
    () => JSON.stringify({ ...GOOD, username: pick(BAD_NAMES) }),
    () => JSON.stringify({ ...GOOD, username, script: pick(BAD_SCRIPTS) }),
    () => JSON.stringify({ ...GOOD, username, action: pick(['give', null, 1]) }),
    () => JSON.stringify({ ...grant, username, extendBy: '1M' }),
    () => pick(['{', '[]', '7', 'null', '"x"', '\u0000', '{"action":"grant"', 'action,script']),
  ])();
}

function expectRefused({ status, headers, body }: Answer, what: string): void {
  expect([status >= 400 && status < 500, what]).toEqual([true, what]);
  expect(headers.get('content-type')).toContain('application/problem+json');
  expect(body.code).toMatch(/^[a-z_]+$/);
}
