import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { ACCESS, type ApiHarness, type CallOptions, openApiHarness, SCRIPT } from './api-harness.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = await openApiHarness(inject('redisUrl'));
  await api.addAccounts();
});
afterAll(() => api.close());

function extend(user: string, key: string, more: CallOptions & { readonly by?: string } = {}) {
  const headers = { 'idempotency-key': key, ...more.headers };
  return api.call('PUT', `${ACCESS}/${user}`, { body: { extendBy: more.by ?? '1M' }, headers });
}

async function beginnings(): Promise<Record<string, number>> {
  const { body } = await api.call('GET', '/metrics');
  const found = String(body).matchAll(/^pinegate_idempotent_requests_total\{verdict="(\w+)".*\} (\d+)$/gm);
  return Object.fromEntries([...found].map(([, verdict, count]) => [verdict, Number(count)]));
}

test('a client that prefers to wait under a key: meanwhile the request is running, afterwards its answer is given again', async () => {
  const headers = { prefer: 'wait=60' };
  const before = api.rung.length;
  const first = extend('patient', 'wait-1', { headers });
  await vi.waitUntil(() => api.rung.length > before, { timeout: 60_000 });
  const meanwhile = await extend('patient', 'wait-1', { headers });
  expect([meanwhile.status, meanwhile.body.code]).toEqual([409, 'request_running']);
  expect(Number(meanwhile.headers['retry-after'])).toBeGreaterThan(0);
  await api.work('one');
  const answer = await first;
  expect([answer.status, answer.body.status]).toEqual([200, 'settled']);
  const again = await extend('patient', 'wait-1', { headers });
  expect([again.status, again.body, again.headers['idempotency-replayed']]).toEqual([200, answer.body, 'true']);
  expect(again.body.version).toBe(1);
});

test.each([
  ['before its operation was written', false],
  ['after it', true],
] as const)(
  'a request that ended with 503 %s has one effect under one id when it is sent again',
  async (when, written) => {
    const user = `unlucky_${written}`;
    const ledger = api.ledger.account('one');
    const submit = ledger.submitSingle.bind(ledger);
    vi.spyOn(ledger, 'submitSingle').mockImplementationOnce(async (...operation) => {
      if (written) await submit(...operation);
      throw new Error('Command timed out');
    });
    const refused = await extend(user, when.replaceAll(' ', '-'));
    expect([refused.status, refused.body.code]).toEqual([503, 'unavailable']);
    const other = await extend(user, when.replaceAll(' ', '-'), { by: '2M' });
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
    const resumed = (await beginnings()).resume ?? 0;
    const again = await extend(user, when.replaceAll(' ', '-'));
    const third = await extend(user, when.replaceAll(' ', '-'));
    expect([again.status, again.body.version]).toEqual([202, 1]);
    expect(third.body).toEqual(again.body);
    expect(await ledger.readParts([again.body.operation])).toMatchObject([{ total: 1, pending: 1 }]);
    expect((await beginnings()).resume).toBe(resumed + 1);
  },
);

test('the same batch at once under one key is one batch', async () => {
  const operations = [{ action: 'grant', script: SCRIPT, username: 'of_a_batch', extendBy: '1M' }];
  const send = () =>
    api.call('POST', '/v1/batches', { body: { operations }, headers: { 'idempotency-key': 'batch-at-once' } });
  const answers = await Promise.all(Array.from({ length: 8 }, send));
  const last = await send();
  expect(last.status).toBe(202);
  for (const { status, body } of answers) {
    if (status === 202) expect(body).toEqual(last.body);
    else expect([status, body.code]).toEqual([409, 'request_running']);
  }
  expect((await api.call('GET', `${ACCESS}/of_a_batch`)).body.version).toBe(1);
});

test('an API key asked for twice at once under one Idempotency-Key is one key, whose secret is told once', async () => {
  const send = () =>
    api.call('POST', '/v1/keys', {
      body: { name: 'twice', scopes: ['read'] },
      headers: { 'idempotency-key': 'one-api-key' },
    });
  const answers = [...(await Promise.all([send(), send(), send()])), await send()];
  const made = answers.filter(({ status }) => status === 201).map(({ body }) => body);
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  expect(made.filter(({ key }) => typeof key === 'string')).toHaveLength(1);
  const { body } = await api.call('GET', '/v1/keys');
  expect(body.items.filter(({ name }: { name: string }) => name === 'twice')).toHaveLength(1);
});

test('how requests under a key begin is counted', async () => {
  const before = await beginnings();
  await extend('counted', 'counted');
  await extend('counted', 'counted');
  await extend('counted', 'counted', { by: '2M' });
  const after = await beginnings();
  const grown = Object.entries(after).map(([verdict, count]) => [verdict, count - (before[verdict] ?? 0)]);
  expect(Object.fromEntries(grown)).toMatchObject({ fresh: 1, stored: 1, differs: 1 });
});
