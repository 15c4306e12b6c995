import type { BudgetLimits, ControllerState, Refusal } from '../../src/controller/state.ts';
import { initialState, rateNow } from '../../src/controller/state.ts';
import { step, stepDue } from '../../src/controller/step.ts';

/** A controller in the simulation. Times in seconds, rates per second. */
export type Sender = {
  rate(): number;
  pausedUntil(): number;
  passed(t: number, worker: number): void;
  refused(t: number, sentAt: number, retryAfter: number, worker: number): void;
  tick(t: number): void;
  /** Time without a scheduled send so far, and how far ahead sends are scheduled. */
  schedule(gap: number, ahead: number): void;
};

export type OurSender = Sender & { state(): ControllerState };

export const LIMITS: BudgetLimits = { start: 5, min: 0.5, max: 1000, adaptive: true };

/** Our controller. With several workers each reports what passed every `flush` seconds, and refusals at once. */
export function ourSender(limits: Partial<BudgetLimits> = {}, workers = 1, flush = 0): OurSender {
  const full = { ...LIMITS, ...limits };
  const kept = new Array<number>(workers).fill(0);
  const flushed = new Array<number>(workers).fill(0);
  let state = initialState(full, 0);
  let good = 0;
  let gapMs = 0;
  let aheadMs = 0;

  function run(t: number, limited: readonly Refusal[]): void {
    const at = t * 1000;
    if (limited.length === 0 && !stepDue(state, at, good)) return;
    // As it comes back from Redis.
    const stored = JSON.parse(JSON.stringify(state)) as ControllerState;
    state = step(stored, full, { at, good, gapMs, aheadMs, limited });
  }

  function report(t: number, worker: number): void {
    good += kept[worker] ?? 0;
    kept[worker] = 0;
    flushed[worker] = t;
  }

  return {
    state: () => state,
    rate: () => rateNow(state),
    pausedUntil: () => state.pausedUntil / 1000,
    passed(t, worker) {
      kept[worker] = (kept[worker] ?? 0) + 1;
      if (t - (flushed[worker] ?? 0) < flush && state.phase !== 'blocked') return;
      report(t, worker);
      run(t, []);
    },
    refused(t, sentAt, retryAfter, worker) {
      report(t, worker);
      run(t, [{ sentAt: sentAt * 1000, retryAfterMs: retryAfter * 1000 }]);
    },
    tick: (t) => run(t, []),
    schedule(gap, ahead) {
      gapMs = gap * 1000;
      aheadMs = ahead * 1000;
    },
  };
}
