import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../stack/start-stack.ts';

const SCRIPT = `PUB;${'a1'.repeat(16)}`;
const DATE = '2031-05-01T00:00:00.000Z';
const BACKLOG = 3_000;
const RATE = 20;

let stack: Stack;
let backlog: string;

beforeAll(async () => {
  const fixed = { start: RATE, adaptive: false };
  const config = { budgets: { grant: fixed, revoke: fixed } };
  stack = await startStack({ workers: 2, accounts: [{ id: 'alpha', scripts: [SCRIPT], config }] });
  backlog = await submit('backlog', BACKLOG);
  await stack.write(isOf('backlog'), 'the first write of the backlog');
});
afterAll(() => stack?.stop());

async function submit(kind: string, rows: number): Promise<string> {
  const lines = Array.from({ length: rows }, (_, i) => `grant,${SCRIPT},${kind}_${i},${DATE}\n`);
  const raw = `action,script,username,expires_at\n${lines.join('')}`;
  const { body } = await stack.call('POST', '/v1/batches', { headers: { 'content-type': 'text/csv' }, raw });
  expect(body.accepted).toBe(rows);
  return body.id;
}

function isOf(kind: string) {
  return ({ username }: { readonly username: string }) => username.startsWith(`${kind}_`);
}

function grant(username: string) {
  const path = `/v1/scripts/${encodeURIComponent(SCRIPT)}/access/${username}`;
  return stack.call('PUT', path, { headers: { prefer: 'wait=30' }, body: { expiresAt: DATE } });
}

const pending = async (batch: string) => (await stack.read(`/v1/batches/${batch}`)).pending;

test('a single operation goes before the rows of a backlog that was there first', async () => {
  const before = (await stack.writes()).filter(isOf('backlog')).length;
  expect((await grant('single_one')).status).toBe(200);
  const writes = await stack.writes();
  const at = writes.findIndex(isOf('single'));
  const between = writes.slice(0, at).filter(isOf('backlog')).length - before;
  expect(between).toBeLessThan(BACKLOG / 10);
});

test('a batch of 100 rows does not wait for the backlog before it to end', async () => {
  await stack.drained(await submit('small', 100));
  expect(await pending(backlog)).toBeGreaterThan(BACKLOG / 10);
});

test('bulk goes on while single operations wait', async () => {
  await Promise.all(Array.from({ length: 120 }, (_, i) => grant(`many_${i}`)));
  const writes = await stack.writes();
  const [from, to] = [writes.findIndex(isOf('many')), writes.findLastIndex(isOf('many'))];
  expect(writes.slice(from, to).filter(isOf('backlog')).length).toBeGreaterThanOrEqual(5);
  expect(await pending(backlog)).toBeGreaterThan(0);
});
