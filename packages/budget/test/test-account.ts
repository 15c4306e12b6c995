import { closeRedis, openRedis, type Redis } from '@pinegate/runtime';
import { randomNamespace } from '@pinegate/testing';
import {
  type Budget,
  type BudgetClock,
  type BudgetLimits,
  type BudgetSettings,
  createBudget,
  type Permits,
} from '../src/index.ts';

const LIMITS: BudgetLimits = { start: 5, min: 0.5, max: 1000, adaptive: true };
const UNLIMITED: BudgetLimits = { start: null, min: 0, max: 0, adaptive: false };
export const fixed = (start: number): BudgetLimits => ({ ...LIMITS, start, adaptive: false });

/** Settings in which only what is given is limited. */
export function settings(
  budgets: Partial<BudgetSettings['budgets']> = {},
  more: { readonly maxInFlight?: number; readonly shared?: boolean } = {},
): BudgetSettings {
  const all = { grant: UNLIMITED, revoke: UNLIMITED, list: UNLIMITED, lookup: UNLIMITED, ...budgets };
  return { budgets: all, maxInFlight: 1000, ...more };
}

const REPLACE = { clock: "local function now() return tonumber(redis.call('GET', KEYS[1] .. ':clock')) end" };
/** No chain of calls that one event starts is longer. */
const LONGEST_CHAIN = 10;
/** Redis time at which a test begins, ms. */
export const START = 1_700_000_000_000;

/** An account whose time, in Redis and in every process, passes only when the test says so. */
export type TestAccount = {
  readonly redis: Redis;
  readonly ns: string;
  readonly key: string;
  /** Redis ms since the test began. */
  readonly now: number;
  /** Timers that are set, over all workers. */
  readonly timers: number;
  worker(name: string, settings: BudgetSettings, most?: number): Budget;
  /** Lets every call to Redis that is due be answered. */
  settle(): Promise<void>;
  /** Lets time pass, timer by timer. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
};

export async function openTestAccount(url: string): Promise<TestAccount> {
  const redis = openRedis(url, 'shared');
  const ns = randomNamespace();
  const key = `{${ns}:a}:budget`;
  const timers = new Map<symbol, { readonly at: number; readonly run: () => void }>();
  const budgets: Budget[] = [];
  let now = 0;
  const setClock = () => redis.set(`${key}:clock`, START + now);
  await setClock();

  const clock: BudgetClock = {
    now: () => now,
    after(ms, run) {
      const id = Symbol('timer');
      timers.set(id, { at: now + ms, run });
      return () => timers.delete(id);
    },
  };

  async function settle(): Promise<void> {
    // Redis answers in order: each ping follows one more link of the chain.
    for (let i = 0; i < LONGEST_CHAIN; i++) await redis.ping();
  }

  return {
    redis,
    ns,
    key,
    get now() {
      return now;
    },
    get timers() {
      return timers.size;
    },
    worker(name, chosen, most) {
      const onError = (error: unknown) => {
        throw error;
      };
      const budget = createBudget({
        redis,
        ns,
        account: 'a',
        worker: name,
        settings: chosen,
        ...(most === undefined ? {} : { most }),
        clock,
        onError,
        replace: REPLACE,
      });
      budgets.push(budget);
      return budget;
    },
    settle,
    async pass(ms) {
      const until = now + ms;
      for (;;) {
        const [next] = [...timers].sort((a, b) => a[1].at - b[1].at);
        if (!next || next[1].at > until) break;
        timers.delete(next[0]);
        now = Math.max(now, next[1].at);
        await setClock();
        next[1].run();
        await settle();
      }
      now = until;
      await setClock();
    },
    async close() {
      await Promise.all(budgets.map((b) => b.close()));
      await redis.del(key, `${key}:slots`, `${key}:clock`);
      await closeRedis(redis);
    },
  };
}

/** Permits as they come, with the time at which they did. */
export function collect(account: TestAccount, acquired: Promise<Permits | null>) {
  const got: { permits: Permits | null | undefined; at: number } = { permits: undefined, at: -1 };
  void acquired.then((permits) => {
    got.permits = permits;
    got.at = account.now;
  });
  return got;
}
