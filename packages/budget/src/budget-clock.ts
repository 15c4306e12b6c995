/** A process's own time. Permits' times are Redis's; this measures how long ago Redis said what time it is. */
export type BudgetClock = {
  /** Monotonic ms. */
  now(): number;
  /** Runs `run` once, `ms` from now; the returned function cancels that. */
  after(ms: number, run: () => void): () => void;
};

export const systemClock: BudgetClock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
