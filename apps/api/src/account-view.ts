import type { Account, BudgetConfig } from '@pinegate/ledger';
import type { z } from 'zod';
import { isoTimeOrNull } from './access-view.ts';
import type { account } from './account-schemas.ts';
import type { ApiContext } from './api-context.ts';

/** An account as the API shows it: without its cookies. */
export type AccountView = z.output<typeof account>;

/** Adds to an account what the ledger and the workers' budgets know of it. */
export async function readAccount(
  { ledger, budgets: reader }: Pick<ApiContext, 'ledger' | 'budgets'>,
  { id, state, reason, scripts, budgets, maxInFlight, sharedBudget = false, session }: Account,
): Promise<AccountView> {
  const [summary, { inFlight, rates }] = await Promise.all([ledger.account(id).summary(), reader.read(id)]);
  const budget = (name: keyof typeof budgets) => viewBudget(budgets[name], rates[name]);
  return {
    id,
    state,
    reason,
    scripts: [...scripts],
    budgets: { grant: budget('grant'), revoke: budget('revoke'), list: budget('list'), lookup: budget('lookup') },
    maxInFlight,
    sharedBudget,
    pending: Object.values(summary.pending).reduce((sum, count) => sum + count, 0),
    inFlight,
    session: { state: session.state, checkedAt: isoTimeOrNull(session.checkedAt) },
  };
}

/** Until something is learned the rate is where it starts. */
function viewBudget({ start, min, max, adaptive }: BudgetConfig, learned: number | null) {
  return { start, min, max, adaptive, rate: learned ?? start };
}
