import type { BudgetReply, BudgetScripts } from './budget-scripts.ts';
import type { BudgetName } from './budget-settings.ts';
import type { BudgetLimits, ControllerState, Refusal } from './controller/state.ts';
import { clampRate, initialState, isFixed, rateNow } from './controller/state.ts';
import { step, stepDue } from './controller/step.ts';

/** What a budget's controller says now: permits a second, and until when to send nothing (Redis ms). */
export type Learned = { readonly rate: number; readonly pausedUntil: number };

export type RateLearner = {
  /** The version of a budget's state that is known here; '0' = none. */
  version(budget: BudgetName): string;
  /** Feeds what a reply tells, and refusals (Redis ms), to the budget's controller. Null where there is nothing to learn. */
  learn(reply: BudgetReply, now: number, limits: BudgetLimits, refusals: readonly Refusal[]): Promise<Learned | null>;
};

type Known = { readonly version: string; readonly state: ControllerState | null };

const NOTHING: Known = { version: '0', state: null };
const MOST_TRIES = 10;

/**
 * Keeps the controllers' states of one account and steps them by compare-and-set, so that the one implementation of the
 * controller is the pure one, and every refusal counts once whichever worker saw it.
 */
export function createRateLearner(scripts: Pick<BudgetScripts, 'store'>): RateLearner {
  const known = new Map<BudgetName, Known>();

  function next(
    state: ControllerState | null,
    reply: BudgetReply,
    at: number,
    limits: BudgetLimits,
    limited: readonly Refusal[],
  ) {
    const { good, gapMs, aheadMs } = reply;
    const event = { at, good, gapMs, aheadMs, limited };
    if (state === null) {
      if (isFixed(limits) && limited.length === 0) return null;
      const fresh = { ...initialState(limits, at), good, gapMs };
      return limited.length === 0 ? fresh : step(fresh, limits, event);
    }
    const moved = clampRate(limits, state.rate) !== state.rate || (isFixed(limits) && state.phase !== 'hold');
    if (limited.length === 0 && !moved && (isFixed(limits) || !stepDue(state, at, good))) return null;
    return step(state, limits, event);
  }

  return {
    version: (budget) => (known.get(budget) ?? NOTHING).version,
    async learn(reply, now, limits, refusals) {
      const { budget } = reply;
      if (reply.state !== '') known.set(budget, { version: reply.version, state: parse(reply.state) });
      else if (reply.version === '0') known.delete(budget);
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        const { version, state } = known.get(budget) ?? NOTHING;
        const stepped = next(state, reply, now, limits, refusals);
        if (stepped === null) return state && { rate: rateNow(state), pausedUntil: state.pausedUntil };
        const learned = { rate: rateNow(stepped), pausedUntil: stepped.pausedUntil };
        const stored = await scripts.store(budget, version, JSON.stringify(stepped), learned.rate, learned.pausedUntil);
        known.set(budget, { version: stored.version, state: stored.done ? stepped : parse(stored.state) });
        if (stored.done) return learned;
      }
      return null;
    },
  };
}

function parse(text: string): ControllerState {
  return JSON.parse(text) as ControllerState;
}
