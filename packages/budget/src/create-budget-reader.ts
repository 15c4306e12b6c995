import { createScripts, type Redis } from '@pinegate/runtime';
import { accountKeys } from './budget-scripts.ts';
import { BUDGET_NAMES, type BudgetName } from './budget-settings.ts';
import { UNLIMITED } from './controller/state.ts';

/** What an account's budget does at one instant, over all its workers. */
export type BudgetReading = {
  /** Requests in flight, as reported within the last tenth of a second. */
  readonly inFlight: number;
  /** How long nobody may send, after a 429, ms. */
  readonly pausedMs: number;
  readonly breakerOpen: boolean;
  /** 429s since the account was made. */
  readonly refused: number;
  /** Requests a second as learned; null = nothing learned, so where it starts. */
  readonly rates: Readonly<Record<BudgetName, number | null>>;
};

/** Reads budgets without taking part in them. */
export type BudgetReader = {
  read(account: string): Promise<BudgetReading>;
};

/** @param redis the caller's to close. */
export function createBudgetReader({ redis, ns }: { readonly redis: Redis; readonly ns: string }): BudgetReader {
  const scripts = createScripts(new URL('./lua/', import.meta.url));
  return {
    async read(account) {
      const { budget, slots } = accountKeys(ns, account);
      const answer = await scripts.run(redis, 'read', [budget, slots], BUDGET_NAMES);
      const [now, paused, breaker, inFlight, refused, ...rates] = answer as (string | number)[];
      const rate = (i: number) => {
        const learned = Number(rates[2 * i] || Number.NaN);
        return learned > 0 && learned < UNLIMITED ? learned : null;
      };
      return {
        inFlight: Number(inFlight),
        pausedMs: Math.max(0, Math.ceil(Number(paused) - Number(now))),
        breakerOpen: breaker === 'open',
        refused: Number(refused),
        rates: Object.fromEntries(BUDGET_NAMES.map((b, i) => [b, rate(i)])) as Record<BudgetName, number | null>,
      };
    },
  };
}
