import { createHash } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import type { Redis } from '@pinegate/runtime';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { createRateStore } from './create-rate-store.ts';
import { Problem } from './problem.ts';

/** Requests a second of an API key that has no limit of its own. */
export const DEFAULT_RATE = 10_000;
/** Attempts a minute with wrong keys, or none, from one address (of IPv6, one /64). */
export const FAILED_ATTEMPTS = 30;

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const GOOD_FOR_MS = 600_000;
const REMEMBERED = 10_000;

/** Slows down whoever tries keys. */
export interface AttemptLimit {
  /**
   * Before a key is looked at. Errors: `Problem` `rate_limited` where too many attempts from its address have failed; a key that has just
   * been good passes all the same, or one customer behind a shared address could lock out the others.
   */
  check(request: FastifyRequest, secret: string | null): void;
  failed(request: FastifyRequest): Promise<void>;
  succeeded(secret: string): void;
}

/** Limits the requests of each API key, in Redis for all replicas together, and says so in RateLimit headers. Without Redis nothing is limited. */
export async function addRequestLimits(app: FastifyInstance, redis: Redis, ns: string): Promise<AttemptLimit> {
  await app.register(rateLimit, {
    store: createRateStore(redis, `{${ns}}:rate:`),
    skipOnError: true,
    enableDraftSpec: true,
    timeWindow: SECOND_MS,
    max: ({ apiKey }) => apiKey?.ratePerSecond ?? DEFAULT_RATE,
    keyGenerator: ({ apiKey }) => apiKey?.id ?? '',
    allowList: ({ apiKey }) => apiKey === null,
    errorResponseBuilder: (_request, { max, ttl }) => tooMany(`This API key may make ${max} requests a second.`, ttl),
  });
  const countFailure = app.createRateLimit({
    max: FAILED_ATTEMPTS,
    timeWindow: MINUTE_MS,
    keyGenerator: ({ ip }) => `failed:${networkOf(ip)}`,
    allowList: [],
  });
  const barredUntil = new LRUCache<string, number>({ max: REMEMBERED });
  const good = new LRUCache<string, true>({ max: REMEMBERED, ttl: GOOD_FOR_MS });
  return {
    check({ ip }, secret) {
      const left = (barredUntil.get(networkOf(ip)) ?? 0) - Date.now();
      if (left <= 0 || (secret !== null && good.has(nameOf(secret)))) return;
      throw tooMany('Too many requests from this address had no valid API key.', left);
    },
    async failed(request) {
      const counted = await countFailure(request);
      // Every process counts in the same place, and so learns of it at its own first failure.
      if (!counted.isAllowed && counted.isExceeded) barredUntil.set(networkOf(request.ip), Date.now() + counted.ttl);
    },
    succeeded: (secret) => void good.set(nameOf(secret), true),
  };
}

function tooMany(detail: string, waitMs: number): Problem {
  return new Problem('rate_limited', detail, { retryAfter: Math.max(1, Math.ceil(waitMs / SECOND_MS)) });
}

// Not the secret itself: memory may end up in a dump.
function nameOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

// Who has one IPv6 address has its whole /64.
function networkOf(ip: string): string {
  if (!ip.includes(':') || ip.includes('.')) return ip;
  const [head = '', tail = ''] = ip.split('::', 2);
  const groups = head.split(':').filter((group) => group !== '');
  const last = tail.split(':').filter((group) => group !== '');
  const missing = ip.includes('::') ? Math.max(0, 8 - groups.length - last.length) : 0;
  return [...groups, ...Array.from({ length: missing }, () => '0'), ...last].slice(0, 4).join(':');
}
