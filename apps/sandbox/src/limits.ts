import { buildLimiter, type Limiter, type Verdict } from './limiter.ts';
import type { Endpoint, Limit, Options } from './options.ts';

/** All limiters of the sandbox, found by the unit the options name. */
export type Limits = {
  /** A request that passed must call `release` once, when it is answered or its client has gone. */
  take(options: Options, account: string, endpoint: Endpoint, now: number): { verdict: Verdict; release(): void };
  /** Refuses everything of one account until then (ms since 1970). */
  storm(account: string, until: number): void;
  clear(): void;
};

export function buildLimits(): Limits {
  const limiters = new Map<string, Limiter>();
  const storms = new Map<string, number>();

  function limiterOf(key: string): Limiter {
    let limiter = limiters.get(key);
    if (!limiter) {
      limiter = buildLimiter();
      limiters.set(key, limiter);
    }
    return limiter;
  }

  return {
    take(options, account, endpoint, now) {
      const until = storms.get(account) ?? 0;
      if (until > now) return { verdict: { passed: false, retryAfterMs: until - now }, release() {} };
      const limiter = limiterOf(unitKey(options.limitUnit, account, endpoint));
      return { verdict: limiter.take(limitOf(options, account, endpoint), now), release: limiter.release };
    },
    storm: (account, until) => void storms.set(account, until),
    clear() {
      limiters.clear();
      storms.clear();
    },
  };
}

function unitKey(unit: Options['limitUnit'], account: string, endpoint: Endpoint): string {
  if (unit === 'account') return account;
  return unit === 'endpoint' ? `${account} ${endpoint}` : '';
}

/** The most particular one wins; null there lifts the general one. */
function limitOf(options: Options, account: string, endpoint: Endpoint): Limit | null {
  if (Object.hasOwn(options.limitByAccount, account)) return options.limitByAccount[account] ?? null;
  const ofEndpoint = options.limitByEndpoint[endpoint];
  return ofEndpoint === undefined ? options.limit : ofEndpoint;
}
