export {
  type Budget,
  type BudgetName,
  type BudgetOptions,
  type BudgetSettings,
  createBudget,
  type Permits,
  type PermittedRequest,
  type RequestResult,
} from './create-budget.ts';
export { type BudgetReader, type BudgetReading, createBudgetReader } from './create-budget-reader.ts';
