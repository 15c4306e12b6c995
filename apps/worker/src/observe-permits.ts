import type { Budget, BudgetName } from '@pinegate/budget';

/** Told of permits as they are given, with how long they were waited for. */
export type OnPermits = (budget: BudgetName, count: number, waitedMs: number) => void;

/** The same budget, which tells what it gives. */
export function observePermits(budget: Budget, monotonic: () => number, onPermits: OnPermits): Budget {
  return {
    ...budget,
    async acquire(name, n, options) {
      const asked = monotonic();
      const permits = await budget.acquire(name, n, options);
      if (permits) onPermits(name, permits.count, monotonic() - asked);
      return permits;
    },
  };
}
