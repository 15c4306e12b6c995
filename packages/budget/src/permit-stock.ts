import type { Granted } from './budget-scripts.ts';

/** A permit had from Redis: when it may be used (local ms), and the same in Redis ms. */
export type StockedPermit = { readonly due: number; readonly at: number; readonly probe: boolean };

/** Permits of one budget and class in the order in which they may be used. */
export type PermitStock = {
  readonly size: number;
  /** When the first one may be used, local ms; null = there is none. */
  readonly firstDue: number | null;
  add(granted: Granted, intervalMs: number, clockOffset: number, probe: boolean): void;
  /** At most `n` that may be used by `until`. */
  takeDue(n: number, until: number): StockedPermit[];
  /** All of them, for giving back. */
  clear(): StockedPermit[];
};

export function createPermitStock(): PermitStock {
  let permits: StockedPermit[] = [];
  return {
    get size() {
      return permits.length;
    },
    get firstDue() {
      return permits[0]?.due ?? null;
    },
    add({ count, from }, intervalMs, clockOffset, probe) {
      for (let i = 0; i < count; i++) {
        const at = from + i * intervalMs;
        permits.push({ at, due: at - clockOffset, probe });
      }
    },
    takeDue(n, until) {
      let due = 0;
      while (due < n && due < permits.length && (permits[due] as StockedPermit).due <= until) due++;
      return permits.splice(0, due);
    },
    clear() {
      const all = permits;
      permits = [];
      return all;
    },
  };
}
