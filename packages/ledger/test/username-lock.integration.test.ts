import { openRedis } from '@pinegate/runtime';
import { randomNamespace } from '@pinegate/testing';
import { afterAll, afterEach, beforeEach, expect, inject, test, vi } from 'vitest';
import { buildLookUpLock } from '../src/usernames/look-up-lock.ts';

const HOLD_MS = 60_000;
const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => redis.quit());

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('a lock is held by one, and free again when it is given up', async () => {
  const lock = buildLookUpLock(redis, HOLD_MS);
  const key = randomNamespace();
  const takes = await Promise.all(Array.from({ length: 8 }, () => lock.take(key)));
  const [release] = takes.filter((take) => take !== null);
  expect(takes.filter((take) => take === null)).toHaveLength(7);
  await release?.();
  expect(await redis.exists(key)).toBe(0);
  await (await lock.take(key))?.();
});

test('a holder that lives keeps its lock beyond its time, and renews nothing after it gave it up', async () => {
  const key = randomNamespace();
  const release = await buildLookUpLock(redis, HOLD_MS).take(key);
  await redis.pexpire(key, 10_000);
  vi.advanceTimersByTime(HOLD_MS / 3);
  await vi.waitFor(async () => expect(await redis.pttl(key)).toBeGreaterThan(10_000), { timeout: 60_000 });
  await release?.();
  expect(vi.getTimerCount()).toBe(0);
});

test('a holder that lost its lock does not renew that of another', async () => {
  const key = randomNamespace();
  const lock = buildLookUpLock(redis, HOLD_MS);
  // So that Redis knows the script, and one command is one renewal.
  const warm = await lock.take(key);
  vi.advanceTimersByTime(HOLD_MS / 3);
  await warm?.();
  const release = await lock.take(key);
  await redis.set(key, 'another', 'PX', 10_000);
  vi.advanceTimersByTime(HOLD_MS);
  await release?.();
  expect(await redis.get(key)).toBe('another');
  expect(await redis.pttl(key)).toBeLessThanOrEqual(10_000);
});
