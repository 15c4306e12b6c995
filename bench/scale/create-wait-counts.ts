/** Waits counted in buckets a twentieth apart: millions of them, of which quantiles are wanted. */
export interface WaitCounts {
  add(seconds: number): void;
  addAll(others: WaitCounts): void;
  readonly buckets: Uint32Array;
  /** The wait that so large a share of them is at most, s, to 5 %; null of none. */
  quantile(share: number): number | null;
}

const LEAST_S = 0.01;
const FACTOR = 1.05;
const BUCKETS = 400;
const LOG_FACTOR = Math.log(FACTOR);

export function createWaitCounts(): WaitCounts {
  const buckets = new Uint32Array(BUCKETS);
  return {
    buckets,
    add(seconds) {
      const at = Math.log(Math.max(LEAST_S, seconds) / LEAST_S) / LOG_FACTOR;
      const bucket = Math.min(BUCKETS - 1, Math.ceil(at));
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    },
    addAll(others) {
      for (const [bucket, count] of others.buckets.entries()) buckets[bucket] = (buckets[bucket] ?? 0) + count;
    },
    quantile(share) {
      const total = buckets.reduce((sum, count) => sum + count, 0);
      if (total === 0) return null;
      let seen = 0;
      const bucket = buckets.findIndex((count) => {
        seen += count;
        return seen >= share * total;
      });
      return LEAST_S * FACTOR ** bucket;
    },
  };
}
