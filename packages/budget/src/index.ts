export type { BudgetClock } from './budget-clock.ts';
export {
  type BudgetName,
  type BudgetSettings,
  budgetOf,
  DEFAULT_SETTINGS,
  type Endpoint,
} from './budget-settings.ts';
export type { BudgetLimits } from './controller/state.ts';
export {
  type Budget,
  type BudgetOptions,
  type BudgetSnapshot,
  createBudget,
  type Permits,
  type PermittedRequest,
} from './create-budget.ts';
export { type BudgetReader, type BudgetReading, createBudgetReader } from './create-budget-reader.ts';
export type { RequestResult } from './outcomes.ts';
