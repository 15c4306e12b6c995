import type { Redis } from '@pinegate/runtime';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';

/** How often somebody may try to log in. */
export interface LoginLimit {
  /** Counts an attempt before it is looked at. @returns null: go on; else the seconds to wait. */
  attempt(address: string): Promise<number | null>;
  /** A login that worked is forgotten. */
  succeeded(address: string): Promise<void>;
}

const ATTEMPTS = 10;
const WINDOW_SECONDS = 300;

/** Ten attempts in five minutes from an address, over all dashboards; without Redis each counts by itself. */
export function buildLoginLimit(redis: Redis, ns: string): LoginLimit {
  const common = { points: ATTEMPTS, duration: WINDOW_SECONDS };
  const limiter = new RateLimiterRedis({
    ...common,
    storeClient: redis,
    keyPrefix: `{${ns}}:login-attempts`,
    insuranceLimiter: new RateLimiterMemory(common),
  });
  return {
    async attempt(address) {
      try {
        await limiter.consume(address);
        return null;
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused;
        return Math.max(1, Math.ceil(refused.msBeforeNext / 1_000));
      }
    },
    async succeeded(address) {
      await limiter.delete(address);
    },
  };
}
