import type { Redis } from 'ioredis';

/** Resolves once the client may be used; rejects with the signal's reason when that comes first. */
export async function redisReady(redis: Redis, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  if (redis.status === 'ready') return;
  if (redis.status === 'wait') redis.connect().catch(() => {});
  await new Promise<void>((resolve, reject) => {
    const ready = () => finish(resolve);
    const aborted = () => finish(() => reject(signal?.reason));
    const finish = (settle: () => void) => {
      redis.off('ready', ready);
      signal?.removeEventListener('abort', aborted);
      settle();
    };
    redis.once('ready', ready);
    signal?.addEventListener('abort', aborted, { once: true });
  });
}
