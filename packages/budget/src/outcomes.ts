import type { TakeRequest } from './budget-scripts.ts';
import type { BudgetName } from './budget-settings.ts';
import type { Refusal } from './controller/state.ts';
import type { StockedPermit } from './permit-stock.ts';

/** What came of a request. `unsent`: it never left, so its permit comes back. */
export type RequestResult = 'ok' | 'limited' | 'unavailable' | 'uncertain' | 'unsent';

/** What one budget has to report. */
export type BudgetOutcomes = {
  good: number;
  refusals: Refusal[];
  retryAfterMs: number;
  unused: { n: number; from: number };
};

/** What has come of requests since the last call to Redis. */
export type Outcomes = {
  readonly budgets: ReadonlyMap<BudgetName, BudgetOutcomes>;
  readonly order: string;
  readonly probe: TakeRequest['probe'];
};

export type OutcomeLog = {
  /** `none`, `some` (may wait a little), or `urgent`: others should know at once. */
  readonly pending: 'none' | 'some' | 'urgent';
  add(budget: BudgetName, permit: StockedPermit, result: RequestResult, sentAt: number, retryAfterMs: number): void;
  giveBack(budget: BudgetName, permits: readonly StockedPermit[]): void;
  /** Everything so far; the log is empty afterwards. */
  drain(): Outcomes;
  /** Puts back what could not be reported. */
  restore(outcomes: Outcomes): void;
};

const NEWEST = 20;
/** What the breaker makes of a result; the others say nothing about the upstream's health. */
const MARKS: Readonly<Partial<Record<RequestResult, '+' | '-'>>> = {
  ok: '+',
  limited: '+',
  unavailable: '-',
  uncertain: '-',
};

export function createOutcomeLog(): OutcomeLog {
  let budgets = new Map<BudgetName, BudgetOutcomes>();
  let order = '';
  let probe: TakeRequest['probe'] = '';
  let urgent = false;

  function of(budget: BudgetName): BudgetOutcomes {
    let found = budgets.get(budget);
    if (!found) {
      found = { good: 0, refusals: [], retryAfterMs: 0, unused: { n: 0, from: 0 } };
      budgets.set(budget, found);
    }
    return found;
  }

  const log: OutcomeLog = {
    get pending() {
      if (urgent) return 'urgent';
      return budgets.size > 0 || order !== '' || probe !== '' ? 'some' : 'none';
    },
    add(budget, permit, result, sentAt, retryAfterMs) {
      if (result === 'unsent') return log.giveBack(budget, [permit]);
      const mark = MARKS[result] ?? '';
      order = (order + mark).slice(-NEWEST);
      if (permit.probe) probe = mark === '+' ? '+' : '-';
      urgent ||= result !== 'ok' || permit.probe;
      const outcomes = of(budget);
      if (result === 'ok') outcomes.good += 1;
      if (result !== 'limited') return;
      outcomes.refusals.push({ sentAt, retryAfterMs });
      outcomes.retryAfterMs = Math.max(outcomes.retryAfterMs, retryAfterMs);
    },
    giveBack(budget, permits) {
      if (permits.length === 0) return;
      const { unused } = of(budget);
      const from = Math.min(...permits.map(({ at }) => at));
      unused.from = unused.n === 0 ? from : Math.min(unused.from, from);
      unused.n += permits.length;
      if (permits.some((p) => p.probe) && probe === '') probe = '0';
    },
    drain() {
      const drained = { budgets, order, probe };
      budgets = new Map();
      order = '';
      probe = '';
      urgent = false;
      return drained;
    },
    restore(outcomes) {
      order = (outcomes.order + order).slice(-NEWEST);
      probe = probe || outcomes.probe;
      for (const [budget, { good, refusals, retryAfterMs }] of outcomes.budgets) {
        const now = of(budget);
        now.good += good;
        now.refusals.unshift(...refusals);
        now.retryAfterMs = Math.max(now.retryAfterMs, retryAfterMs);
      }
    },
  };
  return log;
}
