import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';

// ioredis destroys a socket whose other end does not answer its FIN after 2 s.
const DISCONNECT_MS = 3_000;

/**
 * Closes a client: in order if Redis answers within `waitMs` (1 s), else by dropping the connection. Resolves when it is
 * closed; idempotent, never rejects.
 */
export async function closeRedis(redis: Redis, waitMs = 1_000): Promise<void> {
  if (redis.status === 'end') return;
  const over = new AbortController();
  const ended = new Promise<void>((resolve) => redis.once('end', () => resolve()));
  const atMost = (ms: number) => delay(ms, undefined, { signal: over.signal }).catch(noop);
  if (redis.status === 'ready') await Promise.race([redis.quit().then(noop, noop), atMost(waitMs)]);
  redis.disconnect();
  await Promise.race([ended, atMost(DISCONNECT_MS)]);
  over.abort();
}

function noop(): void {}
