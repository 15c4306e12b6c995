import { randomUUID } from 'node:crypto';
import { createBudget } from '@pinegate/budget';
import type { SessionResult } from '@pinegate/ledger';
import { createLogin, SUSPECT_MS } from './create-login.ts';
import type { Accounts } from './follow-directory.ts';
import { budgetSettings, type WorkerParts } from './serve-account.ts';
import { createSessionGate } from './session-gate.ts';

/** Checks the cookies of any account, whether or not this process serves it. `unclear` also where there are none. */
export async function checkAccount(
  parts: WorkerParts,
  accounts: Pick<Accounts, 'get'>,
  id: string,
): Promise<SessionResult> {
  const served = accounts.get(id);
  if (served) return served.checkSession();
  const account = await parts.directory.accounts.get(id);
  if (!account) return 'unclear';
  const { redis, ns } = parts;
  const budget = createBudget({ redis, ns, account: id, worker: randomUUID(), settings: budgetSettings(account) });
  try {
    return await createLogin(parts, id, budget, createSessionGate(SUSPECT_MS)).check();
  } finally {
    await budget.close();
  }
}
