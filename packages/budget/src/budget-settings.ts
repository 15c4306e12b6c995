import type { BudgetLimits } from './controller/state.ts';

/** Budgets of an account; `lookup` pays for spellings. */
export type BudgetName = 'grant' | 'revoke' | 'list' | 'lookup';

export const BUDGET_NAMES: readonly BudgetName[] = ['grant', 'revoke', 'list', 'lookup'];

/** How an account's requests are bounded, over all its workers. */
export type BudgetSettings = {
  readonly budgets: Readonly<Record<BudgetName, BudgetLimits>>;
  /** Requests in flight. */
  readonly maxInFlight: number;
  /** Grants and revokes spend one budget, that of the grants. */
  readonly shared?: boolean;
};

const limits = (start: number): BudgetLimits => ({ start, min: 0.5, max: 1000, adaptive: true });

/** What is known to work: requests a second to begin with, from there on learned. */
export const DEFAULT_SETTINGS: BudgetSettings = {
  budgets: { grant: limits(5), revoke: limits(4), list: limits(5), lookup: limits(20) },
  maxInFlight: 24,
};

/** The upstream's endpoints, as packages/tradingview names them. */
export type Endpoint = 'details' | 'hint' | 'list_users' | 'add' | 'modify' | 'remove' | 'list_scripts' | 'signin';

const BUDGET_OF: Readonly<Record<Endpoint, BudgetName>> = {
  add: 'grant',
  modify: 'grant',
  remove: 'revoke',
  list_users: 'list',
  list_scripts: 'list',
  details: 'list',
  signin: 'list',
  hint: 'lookup',
};

/** Which budget pays for a call. In what units the upstream counts is unknown: this is the one place that supposes it. */
export function budgetOf(endpoint: Endpoint, settings: Pick<BudgetSettings, 'shared'>): BudgetName {
  return payer(BUDGET_OF[endpoint], settings);
}

/** The budget that stands in for `budget`. */
export function payer(budget: BudgetName, { shared }: Pick<BudgetSettings, 'shared'>): BudgetName {
  return shared && budget === 'revoke' ? 'grant' : budget;
}
