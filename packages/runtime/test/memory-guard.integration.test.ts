import { startTestRedis, waitFor } from '@pinegate/testing';
import { expect, test } from 'vitest';
import { closeRedis, createLogger, createMemoryGuard, openRedis, redisReady } from '../src/index.ts';

test('caching stops at 70 % of maxmemory and accepting at 90 %, unless Redis evicts', async () => {
  const server = await startTestRedis({ appendOnly: false });
  const redis = openRedis(server.url, 'shared');
  const log = createLogger({ app: 'test', level: 'silent' });
  try {
    await redisReady(redis);
    // Made by Redis itself: what a client sends stays in a buffer for a while, and counts too.
    await redis.setrange('filler', 32 * 1024 * 1024 - 1, 'x');
    const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
    await redis.config('SET', 'maxmemory', String(Math.round(used / 0.8)));
    const guard = createMemoryGuard(redis, log);
    await waitFor(async () => guard.isCrowded(), { what: 'the guard to see how full Redis is' });
    expect(guard.isFull()).toBe(false);
    guard.close();
    await redis.config('SET', 'maxmemory', String(Math.round(used / 0.95)));
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const other = createMemoryGuard(redis, log);
    await waitFor(async () => other.isFull(), { what: 'the guard to see that Redis is full' });
    expect(other.isCrowded()).toBe(false);
    other.close();
  } finally {
    await closeRedis(redis);
    await server.close();
  }
});
