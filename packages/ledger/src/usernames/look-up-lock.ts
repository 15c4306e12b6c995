import { randomUUID } from 'node:crypto';
import { createScripts, type Redis } from '@pinegate/runtime';

const LUA = new URL('./lua/', import.meta.url);

/** Says which process looks a name up. */
export interface LookUpLock {
  /** A function that gives the lock up, or null when another process has it. */
  take(key: string): Promise<(() => Promise<void>) | null>;
}

/** Locks that live for `holdMs` after their holder died; a live one renews them three times as often. */
export function buildLookUpLock(redis: Redis, holdMs: number): LookUpLock {
  const scripts = createScripts(LUA);
  return {
    async take(key) {
      const token = randomUUID();
      if ((await redis.set(key, token, 'PX', holdMs, 'NX')) !== 'OK') return null;
      // A renewal that fails leaves the lock to its expiry: at worst a name is looked up twice.
      const renewal = setInterval(
        () => scripts.run(redis, 'renew', [key], [token, holdMs]).catch(() => undefined),
        holdMs / 3,
      );
      renewal.unref();
      return async () => {
        clearInterval(renewal);
        await scripts.run(redis, 'release', [key], [token]).catch(() => undefined);
      };
    },
  };
}
