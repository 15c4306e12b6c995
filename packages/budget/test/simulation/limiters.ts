/** A stand-in for the upstream's limiter. Times in seconds; `limit` per second may be changed while it runs. */
export type Limiter = {
  limit: number;
  /** Whether a request that arrives at `t` passes, with so many in flight. */
  passes(t: number, inFlight: number): boolean;
  /** What Retry-After would say: whole seconds, at least one. */
  retryAfter(t: number): number;
};

/** A token bucket that is full at the start. */
export function tokenBucket(limit: number, burst: number): Limiter {
  let tokens = burst;
  let at = 0;
  return {
    limit,
    passes(t) {
      tokens = Math.min(burst, tokens + (t - at) * this.limit);
      at = t;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
    retryAfter() {
      return Math.max(1, Math.ceil((1 - tokens) / this.limit));
    },
  };
}

/** A quota per window of so many seconds; the first window began `offset` seconds ago. */
export function fixedWindow(limit: number, seconds: number, offset = 0): Limiter {
  let window = Number.NaN;
  let n = 0;
  return {
    limit,
    passes(t) {
      const current = Math.floor((t + offset) / seconds);
      if (current !== window) n = 0;
      window = current;
      if (n >= this.limit * seconds) return false;
      n += 1;
      return true;
    },
    retryAfter(t) {
      return Math.max(1, Math.ceil((window + 1) * seconds - offset - t));
    },
  };
}

/** No more than `most` at once. */
export function concurrencyCap(most: number): Limiter {
  return { limit: most, passes: (_, inFlight) => inFlight <= most, retryAfter: () => 1 };
}

/** The limiters of the comparison, by name, for a limit of `rate` per second. */
export const LIMITERS: Readonly<Record<string, (rate: number) => Limiter>> = {
  'bucket, burst 0.2 s': (rate) => tokenBucket(rate, Math.max(2, rate / 5)),
  'bucket, burst 1 s': (rate) => tokenBucket(rate, rate),
  'bucket, burst 10 s': (rate) => tokenBucket(rate, 10 * rate),
  'window 1 s': (rate) => fixedWindow(rate, 1),
  'window 60 s': (rate) => fixedWindow(rate, 60),
};
