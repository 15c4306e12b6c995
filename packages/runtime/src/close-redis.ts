import type { Redis } from 'ioredis';

/** Closes a client: in order if Redis answers within `waitMs` (1 s), else by dropping the connection. Idempotent, never rejects. */
export async function closeRedis(redis: Redis, waitMs = 1_000): Promise<void> {
  if (redis.status === 'end') return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, waitMs);
  });
  const quit = redis.status === 'ready' ? redis.quit().then(noop, noop) : Promise.resolve();
  await Promise.race([quit, late]);
  clearTimeout(timer);
  redis.disconnect();
}

function noop(): void {}
