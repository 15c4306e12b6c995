import { waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contestedRows } from './contested.ts';
import { type FaultStack, openFaultStack, SCRIPT } from './open-fault-stack.ts';

let stack: FaultStack;

beforeAll(async () => {
  stack = await openFaultStack('redis-full');
  await stack.sandbox('POST', '/__sandbox/configure', { latency: { uniform: [50, 300] } });
});
afterAll(() => stack?.stop());

test('Redis at maxmemory: the api answers 503, nothing is lost, and the work goes on when there is room', async () => {
  await stack.sendBatch(contestedRows('full', 30, 200));
  await stack.write((w) => w.username.startsWith('full'), 'the first writes');
  const { redisClient: redis } = stack;
  // Far less than is in use: buffers of connections come and go.
  const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
  await redis.config('SET', 'maxmemory', Math.floor(used / 2));

  const path = `/v1/scripts/${encodeURIComponent(SCRIPT)}/access/no_room`;
  const refused = await waitFor(
    async () => {
      const answer = await stack.call('PUT', path, { body: { expiresAt: null } });
      return answer.status === 202 ? undefined : answer;
    },
    { what: 'a refusal' },
  );
  expect([refused.status, refused.headers.has('retry-after')]).toEqual([503, true]);
  expect((await stack.call('POST', '/v1/batches', { body: { operations: [] } })).status).toBe(503);

  await redis.config('SET', 'maxmemory', 0);
  // Sent again until it is accepted.
  await stack.send(SCRIPT, 'no_room', { kind: 'set', expiresAt: null });
  await stack.send(SCRIPT, 'no_room', { kind: 'revoke' });
  await stack.expectRight();
});
