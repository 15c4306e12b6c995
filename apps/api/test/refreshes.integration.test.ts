import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type ApiHarness, openApiHarness, SCRIPT, UNKNOWN_SCRIPT } from './api-harness.ts';

let api: ApiHarness;
const asked: string[] = [];

beforeAll(async () => {
  api = await openApiHarness(inject('redisUrl'));
  await api.addAccounts();
  api.tasks.refresh = async (account, refresh) => void asked.push(`${account} ${refresh}`);
});
afterAll(() => api.close());

const pathOf = (script: string) => `/v1/scripts/${encodeURIComponent(script)}/refresh`;
const post = (body: unknown, key?: string) =>
  api.call('POST', pathOf(SCRIPT), { body, ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }) });

test('a refresh is accepted, worked on by a worker, and read with what differed', async () => {
  const posted = await post({ mode: 'report' }, 'once');
  expect(posted.status).toBe(202);
  const { id } = posted.body;
  expect(posted.body).toMatchObject({
    script: SCRIPT,
    mode: 'report',
    state: 'queued',
    progress: { pages: 0, members: 0 },
    drift: null,
    error: null,
    startedAt: null,
    endedAt: null,
  });
  expect(asked).toEqual([`one ${id}`]);

  const replayed = await post({ mode: 'report' }, 'once');
  expect([replayed.status, replayed.body.id, replayed.headers['idempotency-replayed']]).toEqual([202, id, 'true']);
  const second = await post({ mode: 'adopt', reason: 'again' });
  expect([second.status, second.body.code, second.body.refresh]).toEqual([409, 'refresh_running', id]);

  const audit = (await api.call('GET', '/v1/audit?action=script.refresh')).body.items;
  expect(audit).toMatchObject([
    { target: SCRIPT, result: 'refused', code: 'refresh_running', reason: 'again' },
    { target: SCRIPT, result: 'done', after: { refresh: id, mode: 'report' } },
  ]);

  const { refreshes } = api.ledger.account('one');
  await refreshes.take(id, 'w');
  await refreshes.note(id, 'w', { pages: 3, members: 61 });
  expect((await api.call('GET', `/v1/refreshes/${id}`)).body).toMatchObject({
    state: 'running',
    progress: { pages: 3, members: 61 },
    drift: null,
  });
  const granted = (expiresAt: number | null) => ({ state: 'granted', expiresAt }) as const;
  const drift = Array.from({ length: 120 }, (_, i) => ({
    username: `user-${i}`,
    ledger: granted(null),
    upstream: { state: 'none' } as const,
  }));
  await refreshes.note(id, 'w', { drift });
  await refreshes.note(id, 'w', { drift: [{ username: 'Eve', ledger: { state: 'unknown' }, upstream: granted(0) }] });
  await refreshes.note(id, 'w', { known: 200, skipped: 1, compared: true });
  await refreshes.end(id, 'w', 'done', null);

  const done = (await api.call('GET', `/v1/refreshes/${id}`)).body;
  expect(done).toMatchObject({
    state: 'done',
    drift: { known: 200, skipped: 1, otherExpiry: { count: 0, items: [] } },
  });
  expect([done.drift.missing.count, done.drift.missing.items.length]).toEqual([120, 100]);
  expect(done.drift.surplus.items).toEqual([
    {
      username: 'Eve',
      ledger: { state: 'unknown', expiresAt: null },
      upstream: { state: 'granted', expiresAt: '1970-01-01T00:00:00.000Z' },
    },
  ]);
  const list = `/v1/refreshes/${id}/drift?kind=missing&limit=100`;
  const first = (await api.call('GET', list)).body;
  const rest = (await api.call('GET', `${list}&cursor=${first.next}`)).body;
  expect([first.items.length, rest.items.length, rest.next]).toEqual([100, 20, null]);
  expect((await post({ mode: 'adopt' })).status).toBe(202);
});

test('a refresh that failed says why', async () => {
  const posted = await api.call('POST', pathOf(`PUB;${'b'.repeat(32)}`), { body: { mode: 'adopt' } });
  const { refreshes } = api.ledger.account('two');
  await refreshes.take(posted.body.id, 'w');
  await refreshes.end(posted.body.id, 'w', 'failed', 'list_cut');
  const { body } = await api.call('GET', `/v1/refreshes/${posted.body.id}`);
  expect(body).toMatchObject({ state: 'failed', drift: null, error: { code: 'list_cut' } });
  expect(body.error.detail).toMatch(/could not be read/);
});

test('what cannot be refreshed or read is refused', async () => {
  const unknown = await api.call('POST', pathOf(UNKNOWN_SCRIPT), { body: { mode: 'report' } });
  expect([unknown.status, unknown.body.code]).toEqual([404, 'unknown_script']);
  for (const body of [{}, { mode: 'write' }, { mode: 'report', more: 1 }]) {
    expect((await post(body)).status).toBe(400);
  }
  for (const id of ['nothing', `one.${'x'.repeat(22)}`, 'one.', '..%2F..']) {
    const answer = await api.call('GET', `/v1/refreshes/${id}`);
    expect([id, answer.status, answer.body.code]).toEqual([id, 404, 'unknown_refresh']);
  }
  const known = (await api.call('GET', '/v1/scripts')).body.items.length;
  expect(known).toBe(2);
});
