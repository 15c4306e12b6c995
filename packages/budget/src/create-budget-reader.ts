import { createScripts, type Redis } from '@pinegate/runtime';

/** What an account's budget does at one instant, over all its workers. */
export interface BudgetReading {
  readonly inFlight: number;
  /** How long nobody may send, after a 429, ms. */
  readonly pausedMs: number;
  readonly breakerOpen: boolean;
  /** 429s since the account was made. */
  readonly refused: number;
}

/** Reads budgets without taking part in them. */
export interface BudgetReader {
  read(account: string): Promise<BudgetReading>;
}

/** @param redis the caller's to close. */
export function createBudgetReader({ redis, ns }: { readonly redis: Redis; readonly ns: string }): BudgetReader {
  const scripts = createScripts(new URL('./lua/', import.meta.url));
  return {
    async read(account) {
      const answer = await scripts.run(redis, 'read', [`{${ns}:${account}}:budget`], []);
      const [inFlight, pausedMs, open, refused] = answer as [number, number, number, number];
      return { inFlight, pausedMs, breakerOpen: open === 1, refused };
    },
  };
}
