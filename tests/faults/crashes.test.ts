import { request as httpRequest } from 'node:http';
import { waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FaultStack, openFaultStack, SCRIPT } from './open-fault-stack.ts';

const JUNE = Date.UTC(2031, 5, 1);

let stack: FaultStack;

beforeAll(async () => {
  stack = await openFaultStack('crashes');
  await stack.workers[0]?.stop();
});
afterAll(() => stack?.stop());

test('an api that dies between the ledger write and the ring leaves work that the sweep rings for', async () => {
  const { redisClient: redis } = stack;
  await stack.send(SCRIPT, 'unrung', { kind: 'set', expiresAt: JUNE });
  // As it is when the api dies there: the chunk is in the ledger, and no job anywhere.
  const jobs = await redis.keys('{pinegate:alpha}:grant:*');
  expect(jobs.length).toBeGreaterThan(0);
  await redis.del(...jobs);
  await stack.startWorker();
  await stack.expectRight();
  expect((await stack.members(SCRIPT)).get('unrung')).toBe('2031-06-01T00:00:00.000Z');
});

test('an api killed in the middle of an upload: sent again under its key the upload goes on, and extends once', async () => {
  const rows = Array.from({ length: 1_500 }, (_, i) => `cut_${i}`);
  const csv = `action,script,username,extend_by\n${rows.map((name) => `grant,${SCRIPT},${name},1M\n`).join('')}`;
  const headers = { 'content-type': 'text/csv', 'idempotency-key': 'killed-upload' };
  const from = Date.now();
  const cut = beginUpload(csv.slice(0, Math.floor(csv.length * 0.7)), headers);
  const applied = waitFor(async () => (await stack.members(SCRIPT)).has('cut_0'), {
    what: 'the first rows to be applied',
  });
  // An answer instead fails the test at once.
  await Promise.race([applied, cut]);
  await stack.api.kill();
  await cut;
  await stack.startApi();

  const resumed = await waitFor(
    async () => {
      const answer = await stack.call('POST', '/v1/batches', { headers, raw: csv });
      return answer.status === 409 || answer.status === 503 ? undefined : answer;
    },
    { what: 'the lease of the dead request to end', everyMs: 500 },
  );
  expect([resumed.status, resumed.body.rows, resumed.body.accepted]).toEqual([202, 1_500, 1_500]);
  const to = Date.now();
  const done = await stack.drained(resumed.body.id);
  expect([done.total, done.outcomes.granted + done.outcomes.changed]).toEqual([1_500, 1_500]);
  const members = await stack.members(SCRIPT);
  const monthFrom = (at: number) => new Date(at).setUTCMonth(new Date(at).getUTCMonth() + 1);
  const wrong = rows.filter((name) => {
    const date = Date.parse(String(members.get(name)));
    return !(date >= monthFrom(from) - DAY_MS && date <= monthFrom(to) + DAY_MS);
  });
  expect(wrong).toEqual([]);
});

// A month's end may cut a day or two off a month; two months are far beyond.
const DAY_MS = 3 * 86_400_000;

/** Sends the beginning of a body and leaves the request open; resolves when its connection has broken. */
function beginUpload(part: string, headers: Record<string, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${stack.apiUrl}/v1/batches`, {
      method: 'POST',
      headers: { ...headers, authorization: `Bearer ${stack.adminKey}`, 'transfer-encoding': 'chunked' },
    });
    request.on('error', () => resolve());
    request.on('response', ({ statusCode }) => reject(new Error(`half an upload was answered ${statusCode}`)));
    request.write(part);
  });
}
