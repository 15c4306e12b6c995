import type { Granted, PermitClass } from './budget-scripts.ts';
import type { BudgetName } from './budget-settings.ts';
import { createPermitStock, type PermitStock, type StockedPermit } from './permit-stock.ts';

/** Somebody who waits for at least one permit and at most `n`. */
export type Waiter = {
  readonly n: number;
  /** Whether it takes permits without a slot yet. */
  readonly ahead: boolean;
  readonly give: (permits: readonly StockedPermit[]) => void;
};

/** Those who wait for one budget in one class, the permits had for them, and when to ask for more. */
export type PermitLine = {
  readonly budget: BudgetName;
  readonly class: PermitClass;
  readonly stock: PermitStock;
  readonly waiters: Waiter[];
  /** Local ms before which asking Redis brings nothing. */
  askAt: number;
  /** Permits that the waiters lack, but no more than `most`. */
  missing(most: number): number;
  /** Permits that the first in line may have, of `room` slots and so many requests ahead of theirs. */
  room(room: number, ahead: number): number;
  /**
   * Hands permits that may be used by `until` to the first in line, for `room` slots and so many requests ahead of theirs, as long as there
   * is room for as many as `least` says of what they want.
   */
  serve(room: number, ahead: number, until: number, least: (n: number) => number): void;
  /** Stocks what the waiters lack, at most `most`, without Redis: for a rate without a limit. */
  stockHere(most: number, redisNow: number, clockOffset: number): void;
  /** Takes in what Redis granted. */
  receive(granted: Granted, rate: number, clockOffset: number, now: number, probe: boolean): void;
};

const SOON_MS = 1;

export function createPermitLine(budget: BudgetName, permitClass: PermitClass): PermitLine {
  const stock = createPermitStock();
  const waiters: Waiter[] = [];
  const line: PermitLine = {
    budget,
    class: permitClass,
    stock,
    waiters,
    askAt: 0,
    missing(most) {
      let wanted = 0;
      for (const { n } of waiters) wanted += n;
      return Math.max(0, Math.min(wanted, most) - stock.size);
    },
    room: (room, ahead) => (waiters[0]?.ahead ? room + ahead : room),
    serve(room, ahead, until, least) {
      let left = room;
      for (let head = waiters[0]; head !== undefined && line.room(left, ahead) >= least(head.n); head = waiters[0]) {
        const permits = stock.takeDue(Math.min(head.n, line.room(left, ahead)), until);
        if (permits.length === 0) break;
        waiters.shift();
        left -= permits.length;
        head.give(permits);
      }
    },
    stockHere(most, redisNow, clockOffset) {
      stock.add({ count: line.missing(most), from: redisNow, waitMs: null }, 0, clockOffset, false);
    },
    receive(granted, rate, clockOffset, now, probe) {
      stock.add(granted, 1000 / rate, clockOffset, probe);
      line.askAt = granted.waitMs === null ? now : now + Math.max(SOON_MS, granted.waitMs);
    },
  };
  return line;
}
