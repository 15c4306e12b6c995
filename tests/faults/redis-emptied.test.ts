import { waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { grants } from './contested.ts';
import { type FaultStack, openFaultStack, SCRIPT } from './open-fault-stack.ts';

let stack: FaultStack;

beforeAll(async () => {
  stack = await openFaultStack('redis-emptied');
});
afterAll(() => stack?.stop());

test('FLUSHALL under load: it is noticed, told, and nothing more is written to TradingView', async () => {
  await stack.sendBatch(grants('member', 20));
  await stack.settled();
  await stack.sandbox('POST', '/__sandbox/configure', { latency: { fixed: 200 } });
  await stack.sendBatch(grants('emptied', 400));
  await stack.write((w) => w.username.startsWith('emptied'), 'the first writes');
  await stack.redisClient.flushall();

  const [worker] = stack.workers;
  await worker?.line('Redis has been emptied');
  // What was in flight when it happened was armed before.
  const inFlight = async () => (await stack.sandbox('GET', '/__sandbox/counters')).body.inFlight;
  await waitFor(async () => (await inFlight()) === 0, { what: 'the requests in flight to end' });
  const writes = await stack.writes();
  const path = `/v1/scripts/${encodeURIComponent(SCRIPT)}/access/afterwards`;
  const refused = await waitFor(
    async () => {
      const answer = await stack.call('PUT', path, { body: { expiresAt: null } });
      // Redis took too long for an answer.
      return answer.body.code !== 'unavailable' && answer;
    },
    { what: 'the refusal' },
  );
  expect([refused.status, refused.body.code]).toEqual([503, 'redis_restored']);
  await stack.api.line('Redis has been emptied');
  expect(await metricsOf(worker?.lines ?? [])).toMatch(
    /^pinegate_redis_restored_total\{[^}]*what="emptied"[^}]*\} [1-9]/m,
  );

  // A worker that has never seen anything else writes nothing either.
  await stack.startWorker();
  expect(await stack.writes()).toEqual(writes);
  expect(writes.filter((w) => w.op === 'remove')).toEqual([]);
  const members = await stack.members(SCRIPT);
  expect(grants('member', 20).filter(({ username }) => !members.has(username))).toEqual([]);
});

async function metricsOf(lines: readonly string[]): Promise<string> {
  const ready = lines.find((line) => line.includes('worker ready')) ?? '{}';
  const response = await fetch(`http://127.0.0.1:${JSON.parse(ready).port}/metrics`);
  return response.text();
}
