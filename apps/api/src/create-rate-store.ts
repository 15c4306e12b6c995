import type { FastifyRateLimitStore, FastifyRateLimitStoreCtor } from '@fastify/rate-limit';
import { createScripts, onceATurn, type Redis } from '@pinegate/runtime';

type Counted = Parameters<FastifyRateLimitStore['incr']>[1];

interface Waiting {
  readonly windowMs: number;
  readonly counted: Counted[];
}

const scripts = createScripts(new URL('./lua/', import.meta.url));

/**
 * Counts requests in Redis, for all replicas together. The library's own store makes a call for each request; here those of a key that come
 * in the same turn of the event loop are counted by one.
 * @param prefix of the counters' keys
 */
export function createRateStore(redis: Redis, prefix: string): FastifyRateLimitStoreCtor {
  let waiting = new Map<string, Waiting>();

  async function count(key: string, { windowMs, counted }: Waiting): Promise<void> {
    const tell = await scripts.run(redis, 'count-requests', [`${prefix}${key}`], [counted.length, windowMs]).then(
      (answer) => {
        const [last, ttl] = answer as [number, number];
        return (one: Counted, i: number) => one(null, { current: last - counted.length + i + 1, ttl });
      },
      (error: Error) => (one: Counted) => one(error),
    );
    counted.forEach(tell);
  }

  const countAll = onceATurn(() => {
    const all = waiting;
    waiting = new Map();
    for (const [key, one] of all) void count(key, one);
  });

  return class implements FastifyRateLimitStore {
    incr(key: string, counted: Counted, windowMs: number): void {
      const known = waiting.get(key);
      if (known) known.counted.push(counted);
      else waiting.set(key, { windowMs, counted: [counted] });
      countAll();
    }

    // Routes have no counters of their own.
    child(): FastifyRateLimitStore {
      return this;
    }
  };
}
