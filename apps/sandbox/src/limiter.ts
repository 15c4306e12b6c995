import type { Limit } from './options.ts';

/** `retryAfterMs` is when the refusing part would let one request through; null where only an answer frees a place. */
export type Verdict = { readonly passed: true } | { readonly passed: false; readonly retryAfterMs: number | null };

/** What one account (or endpoint, or address) has used up. The limit is given at each call, so it may change. */
export type Limiter = {
  /** Takes a place in flight and one unit of every rate, or nothing at all. */
  take(limit: Limit | null, now: number): Verdict;
  /** Gives back the place in flight of a request that passed. */
  release(): void;
};

const PASSED: Verdict = { passed: true };

export function buildLimiter(): Limiter {
  let inFlight = 0;
  let tokens: number | null = null;
  let refilledAt = 0;
  const second = { start: Number.NaN, used: 0 };
  const minute = { start: Number.NaN, used: 0 };

  function refill(bucket: { rate: number; burst: number }, now: number): number {
    const earned = tokens === null ? bucket.burst : tokens + ((now - refilledAt) / 1000) * bucket.rate;
    refilledAt = now;
    tokens = Math.min(bucket.burst, earned);
    return tokens;
  }

  function refusal(limit: Limit, now: number): Verdict | null {
    if (limit.concurrency !== undefined && inFlight >= limit.concurrency) return { passed: false, retryAfterMs: null };
    // The sum of many small refills misses a whole token by rounding only.
    if (limit.bucket && refill(limit.bucket, now) < 1 - 1e-9) {
      return { passed: false, retryAfterMs: ((1 - (tokens ?? 0)) / limit.bucket.rate) * 1000 };
    }
    return windowRefusal(second, 1000, limit.perSecond, now) ?? windowRefusal(minute, 60_000, limit.perMinute, now);
  }

  return {
    take(limit, now) {
      if (limit) {
        const refused = refusal(limit, now);
        if (refused) return refused;
        if (limit.bucket) tokens = Math.max(0, (tokens ?? 0) - 1);
        second.used++;
        minute.used++;
      }
      inFlight++;
      return PASSED;
    },
    release() {
      inFlight--;
    },
  };
}

function windowRefusal(
  window: { start: number; used: number },
  lengthMs: number,
  most: number | undefined,
  now: number,
): Verdict | null {
  const start = Math.floor(now / lengthMs) * lengthMs;
  if (window.start !== start) {
    window.start = start;
    window.used = 0;
  }
  if (most === undefined || window.used < most) return null;
  return { passed: false, retryAfterMs: start + lengthMs - now };
}
