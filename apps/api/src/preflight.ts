import { setTimeout as delay } from 'node:timers/promises';
import { checkSchema } from '@pinegate/ledger';
import { checkRedis, type Redis, redisReady } from '@pinegate/runtime';

const PATIENCE_MS = 1_000;

/**
 * Refuses a Redis that must not be used. Where Redis is away it does not wait for it, and calls `refuse` should the
 * one that comes later be such a Redis.
 * Errors: `PreflightError`.
 */
export async function runPreflight(
  redis: Redis,
  ns: string,
  closing: AbortSignal,
  refuse: (error: unknown) => void,
): Promise<void> {
  const checked = redisReady(redis, closing)
    .then(() => checkRedis(redis))
    .then(() => checkSchema(redis, ns));
  let waiting = true;
  checked.catch((error: unknown) => {
    if (!waiting && isRefusal(error)) refuse(error);
  });
  const inTime = checked.catch((error: unknown) => {
    if (isRefusal(error)) throw error;
  });
  await Promise.race([inTime, delay(PATIENCE_MS)]);
  waiting = false;
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name === 'PreflightError';
}
