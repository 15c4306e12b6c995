import type { Account } from '@pinegate/ledger';
import type { ApiContext } from './api-context.ts';
import { Problem } from './problem.ts';

/**
 * Lets an account go on; without a working session it is parked instead. One whose state was restored goes on when each of its scripts
 * has been refreshed in mode adopt since, or when the operator takes responsibility: then nothing known before is believed.
 * Errors: `Problem` `refresh_required` with the scripts that are missing.
 */
export async function resumeAccount(
  context: Pick<ApiContext, 'directory' | 'epochs' | 'epoch'>,
  account: Account,
  acknowledged: boolean,
): Promise<Account | null> {
  const { directory, epochs, epoch } = context;
  const carried = await epochs.readAccount(account.id);
  if (carried === null || carried.id !== epoch.current()) {
    const { missing, since } = await refreshesOf(context, account, carried?.refreshed ?? new Map());
    if (missing.length > 0 && !acknowledged) throw refreshRequired(missing);
    await epochs.stamp(account.id, await epochs.begin(), missing.length > 0 ? null : since);
  }
  const dead = account.session.state === 'dead';
  return directory.accounts.setState(account.id, dead ? 'parked' : 'active', dead ? 'session_dead' : null);
}

async function refreshesOf(
  { directory, epoch }: Pick<ApiContext, 'directory' | 'epoch'>,
  { id, scripts }: Account,
  refreshed: ReadonlyMap<number, { readonly epoch: string; readonly since: number }>,
): Promise<{ readonly missing: readonly string[]; readonly since: number | null }> {
  const missing: string[] = [];
  const begun: number[] = [];
  for (const script of scripts) {
    const route = await directory.scripts.resolve(script);
    const done = route?.account === id ? refreshed.get(route.index) : undefined;
    if (done !== undefined && done.epoch === epoch.current()) begun.push(done.since);
    else missing.push(script);
  }
  return { missing, since: begun.length > 0 ? Math.min(...begun) : null };
}

function refreshRequired(scripts: readonly string[]): Problem {
  const detail =
    'The account comes from a restored Redis: refresh these scripts in mode adopt first, or send "acknowledgeRestore": true.';
  return new Problem('refresh_required', detail, { members: { scripts } });
}
