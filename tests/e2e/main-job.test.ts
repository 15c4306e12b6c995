import { request as httpRequest } from 'node:http';
import { waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postCookies, type Stack, startStack, UNLIMITED } from '../stack/start-stack.ts';

const A1 = `PUB;${'a1'.repeat(16)}`;
const A2 = `PUB;${'a2'.repeat(16)}`;
const B1 = `PUB;${'b1'.repeat(16)}`;
const DATE = '2031-05-01T00:00:00.000Z';
const LATER = '2032-05-01T00:00:00.000Z';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    workers: 2,
    accounts: [
      { id: 'alpha', scripts: [A1, A2] },
      { id: 'beta', scripts: [B1] },
    ],
  });
});
afterAll(() => stack?.stop());

const access = (script: string, user: string) => `/v1/scripts/${encodeURIComponent(script)}/access/${user}`;
const wait = { prefer: 'wait=30' };

/** Months later in UTC, clamped to the month's end: the test's own calendar. */
function monthsLater(iso: string, months: number): string {
  const from = new Date(iso);
  const to = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + months, 1));
  const days = new Date(Date.UTC(to.getUTCFullYear(), to.getUTCMonth() + 1, 0)).getUTCDate();
  const time = from.getTime() % 86_400_000;
  return new Date(to.getTime() + (Math.min(from.getUTCDate(), days) - 1) * 86_400_000 + time).toISOString();
}

describe('a single operation', () => {
  test('is granted, changed, found unchanged and revoked while the client waits', async () => {
    await stack.sandbox('POST', '/__sandbox/users', { registered: ['TraderJoe'] });
    const path = access(A1, 'traderjoe');
    const granted = await stack.call('PUT', path, { headers: wait, body: { expiresAt: DATE } });
    expect(granted.status).toBe(200);
    expect(granted.body).toMatchObject({
      script: A1,
      username: 'TraderJoe',
      status: 'settled',
      applied: { state: 'granted', expiresAt: DATE, outcome: 'granted' },
    });
    expect((await stack.members(A1)).get('TraderJoe')).toBe(DATE);

    const outcomeOf = async (method: string, body?: object) => {
      const { body: answer } = await stack.call(method, path, { headers: wait, ...(body ? { body } : {}) });
      const operation = await stack.call('GET', `/v1/operations/${answer.operation}`);
      expect(operation.body).toMatchObject({ status: 'settled', username: 'TraderJoe', error: null });
      return operation.body.outcome;
    };
    expect(await outcomeOf('PUT', { expiresAt: LATER })).toBe('changed');
    expect(await outcomeOf('PUT', { expiresAt: LATER })).toBe('unchanged');
    expect(await outcomeOf('DELETE')).toBe('revoked');
    expect(await outcomeOf('DELETE')).toBe('unchanged');
    expect((await stack.members(A1)).has('TraderJoe')).toBe(false);
  });

  test('of a user who does not exist is rejected, with the reason', async () => {
    const { body } = await stack.call('PUT', access(A1, 'ghost_1'), { headers: wait, body: { expiresAt: null } });
    const operation = await stack.call('GET', `/v1/operations/${body.operation}`);
    expect(operation.body).toMatchObject({ outcome: 'rejected', error: 'USER_NOT_FOUND' });
  });

  test('that extends twice under one idempotency key extends once, and under two keys twice', async () => {
    const path = access(A2, 'payer');
    await stack.call('PUT', path, { headers: wait, body: { expiresAt: DATE } });
    const extend = (key: string) =>
      stack.call('PUT', path, { headers: { ...wait, 'idempotency-key': key }, body: { extendBy: '1M' } });
    const [first, again] = [await extend('pay-1'), await extend('pay-1')];
    expect(again.body).toEqual(first.body);
    expect((await stack.members(A2)).get('payer')).toBe(monthsLater(DATE, 1));
    await extend('pay-2');
    expect((await stack.members(A2)).get('payer')).toBe(monthsLater(DATE, 2));
  });

  test('without a key to extend under, to an unknown script, in the past or said twice is refused, and nothing is written', async () => {
    const refused = async (path: string, body: object) => {
      const answer = await stack.call('PUT', path, { body });
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      return [answer.status, answer.body.code];
    };
    const path = access(A1, 'nobody_yet');
    expect(await refused(path, { extendBy: '1M' })).toEqual([400, 'idempotency_key_required']);
    expect(await refused(path, { expiresAt: '2001-01-01T00:00:00Z' })).toEqual([400, 'expiry_in_past']);
    expect(await refused(path, { expiresAt: DATE, duration: '1M' })).toEqual([400, 'expiry_ambiguous']);
    expect(await refused(path, {})).toEqual([400, 'expiry_missing']);
    expect(await refused(path, { duration: '1X' })).toEqual([400, 'invalid_duration']);
    expect(await refused(access(A1, 'n'.repeat(65)), { duration: '1M' })).toEqual([400, 'invalid_username']);
    expect((await refused(access(`PUB;${'f'.repeat(32)}`, 'x'), { duration: '1M' }))[0]).toBe(404);
    expect((await stack.call('GET', path)).status).toBe(404);
    expect((await stack.call('GET', path, { key: null })).status).toBe(401);
  });
});

describe('a batch', () => {
  test('over the scripts of two accounts goes in as JSON and ends as its rows mean', async () => {
    const operations = [
      { action: 'grant', script: A1, username: '@json_1', expiresAt: DATE },
      { action: 'grant', script: A2, username: 'https://www.tradingview.com/u/json_1/', expiresAt: null },
      { action: 'grant', script: B1, username: ' json_2 ', duration: '1L' },
      { action: 'grant', script: B1, username: 'json_3', expiresAt: DATE },
      { action: 'revoke', script: B1, username: 'json_3' },
      { action: 'grant', script: B1, username: 'ghost_json', expiresAt: DATE },
      { action: 'grant', script: B1, username: 'json_4', duration: '5Q' },
    ];
    const posted = await stack.call('POST', '/v1/batches', { body: { operations } });
    expect(posted.status).toBe(202);
    expect(posted.body).toMatchObject({ rows: 7, accepted: 6, rejected: 1 });
    expect(posted.body.rejections).toMatchObject([{ row: 7, code: 'invalid_duration' }]);
    const done = await stack.drained(posted.body.id);
    expect(done).toMatchObject({ state: 'done', total: 6, pending: 0 });
    expect(done.outcomes.rejected).toBe(1);
    expect((await stack.members(A1)).get('json_1')).toBe(DATE);
    expect((await stack.members(A2)).get('json_1')).toBeNull();
    const beta = await stack.members(B1);
    expect([beta.get('json_2'), beta.has('json_3'), beta.has('ghost_json')]).toEqual([null, false, false]);
    const failures = await stack.call('GET', `/v1/batches/${posted.body.id}/failures`);
    expect(failures.body.items).toMatchObject([{ username: 'ghost_json' }]);
  });

  test.each([
    [
      'text/csv',
      (names: string[]) =>
        `action,script,username,expires_at,duration,extend_by\n${names.map((n) => `grant,${B1},${n},${DATE},,`).join('\n')}\n`,
    ],
    [
      'application/x-ndjson',
      (names: string[]) =>
        names.map((n) => `${JSON.stringify({ action: 'grant', script: B1, username: n, expiresAt: DATE })}\n`).join(''),
    ],
  ])('streams in as %s', async (type, bodyOf) => {
    const names = Array.from({ length: 2500 }, (_, i) => `${type.replace(/\W/g, '_')}_${i}`);
    const posted = await stack.call('POST', '/v1/batches', { headers: { 'content-type': type }, raw: bodyOf(names) });
    expect(posted.body).toMatchObject({ rows: 2500, accepted: 2500, rejected: 0 });
    const done = await stack.drained(posted.body.id);
    expect(done.outcomes.granted).toBe(2500);
    const members = await stack.members(B1);
    expect(names.filter((n) => members.get(n) !== DATE)).toEqual([]);
  });

  test('that is cut in the middle resumes under its key, and its extensions count once', async () => {
    const names = Array.from({ length: 3000 }, (_, i) => `cut_${i}`);
    const csv = `action,script,username,expires_at,duration,extend_by\n${names.map((n) => `grant,${A1},${n},,,1M\n`).join('')}`;
    const headers = { 'content-type': 'text/csv', 'idempotency-key': 'upload-1' };
    await cutUpload(stack, csv.slice(0, Math.floor(csv.length * 0.7)), headers);
    const resumed = await resumeUpload(csv, headers);
    expect(resumed.body).toMatchObject({ rows: 3000, accepted: 3000, rejected: 0 });
    const again = await stack.call('POST', '/v1/batches', { headers, raw: csv });
    expect(again.body).toEqual(resumed.body);
    const done = await stack.drained(resumed.body.id);
    expect(done).toMatchObject({ total: 3000, pending: 0 });
    const members = await stack.members(A1);
    // One month from acceptance, which is less than 32 days ago from now; two months would be more.
    const most = Date.now() + 32 * 86_400_000;
    expect(names.filter((n) => !members.has(n) || Date.parse(String(members.get(n))) > most)).toEqual([]);
  });

  test('that is cancelled stops, and what it counted stays whole', async () => {
    // Slow enough that the cancel finds most of it undone, however late this process sends it.
    await stack.sandbox('POST', '/__sandbox/configure', { latency: { fixed: 2_000 } });
    const operations = Array.from({ length: 5000 }, (_, i) => ({
      action: 'grant',
      script: A2,
      username: `cancel_${i}`,
      expiresAt: DATE,
    }));
    const posted = await stack.call('POST', '/v1/batches', { body: { operations } });
    expect((await stack.call('DELETE', `/v1/batches/${posted.body.id}`)).status).toBe(202);
    await stack.sandbox('POST', '/__sandbox/configure', { latency: { fixed: 0 } });
    const done = await stack.drained(posted.body.id);
    expect(done.state).toBe('cancelled');
    expect(done.outcomes.cancelled).toBeGreaterThan(0);
    expect(done.outcomes.cancelled + done.outcomes.granted).toBe(5000);
    const members = await stack.members(A2);
    expect(operations.filter((o) => members.has(o.username)).length).toBe(done.outcomes.granted);
  });

  test('that waits is superseded where a newer operation speaks, and the last word wins', async () => {
    // An account without cookies is parked: it accepts, and everything waits.
    const script = `PUB;${'d1'.repeat(16)}`;
    await stack.call('PUT', '/v1/accounts/delta', { body: { scripts: [script], budgets: UNLIMITED } });
    const first = await stack.call('PUT', access(script, 'last_word'), { body: { expiresAt: DATE } });
    const second = await stack.call('DELETE', access(script, 'last_word'));
    const third = await stack.call('PUT', access(script, 'last_word'), { body: { expiresAt: LATER } });
    expect(third.body).toMatchObject({ status: 'pending', desired: { state: 'granted', expiresAt: LATER } });
    const outcome = async (answer: typeof first) =>
      (await stack.read(`/v1/operations/${answer.body.operation}`)).outcome;
    expect([await outcome(first), await outcome(second)]).toEqual(['superseded', 'superseded']);

    const cookies = { sessionid: 'session-delta', sessionidSign: 'sign-delta' };
    await stack.sandbox('PUT', '/__sandbox/accounts/delta', { ...cookies, scripts: [script] });
    expect((await postCookies(stack, 'delta', cookies)).state).toBe('active');
    await waitFor(async () => (await outcome(third)) === 'granted', { what: 'the operation that waited' });
    expect((await stack.members(script)).get('last_word')).toBe(LATER);
  });
});

/** Sends the beginning of a body and breaks the connection. */
function cutUpload({ apiUrl, adminKey }: Stack, part: string, headers: Record<string, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const length = { 'content-length': String(part.length + 100_000) };
    const request = httpRequest(`${apiUrl}/v1/batches`, {
      method: 'POST',
      headers: { ...headers, ...length, authorization: `Bearer ${adminKey}` },
    });
    request.on('error', () => resolve());
    request.on('response', () => reject(new Error('a cut upload was answered')));
    request.write(part, () => setImmediate(() => request.destroy()));
  });
}

/** While the api still notices the cut, it answers 409 with Retry-After. */
function resumeUpload(csv: string, headers: Record<string, string>) {
  return waitFor(
    async () => {
      const answer = await stack.call('POST', '/v1/batches', { headers, raw: csv });
      return answer.status !== 409 && answer;
    },
    { what: 'the upload to be resumed' },
  );
}
