import type { Account, AccountConfig, AccountState } from '../directory-types.ts';
import { DirectoryError } from './directory-error.ts';

/** Fields of an account's hash, in the order of account.lua. */
export const ACCOUNT_FIELDS = ['config', 'state', 'reason', 'session', 'checked-at', 'posted-at', 'revision'] as const;

/** One account from the values of `ACCOUNT_FIELDS`; null when there is none. Errors: `DirectoryError` `RECORD_INVALID`. */
export function parseAccount(id: string, values: readonly (string | null)[]): Account | null {
  const [config, state, reason, session, checkedAt, postedAt, revision] = values;
  if (!config) return null;
  return {
    ...parseConfig(id, config),
    id,
    state: state as AccountState,
    reason: reason ?? null,
    session: {
      state: session as Account['session']['state'],
      checkedAt: checkedAt ? Number(checkedAt) : null,
      postedAt: postedAt ? Number(postedAt) : null,
    },
    revision: Number(revision),
  };
}

/** What is stored of a configuration: its own fields only, every script once. */
export function formatConfig(config: AccountConfig): string {
  const { scripts, budgets, maxInFlight, sharedBudget = false } = config;
  return JSON.stringify({ scripts: [...new Set(scripts)], budgets, maxInFlight, sharedBudget });
}

function parseConfig(id: string, text: string): AccountConfig {
  try {
    return JSON.parse(text) as AccountConfig;
  } catch (cause) {
    throw new DirectoryError('RECORD_INVALID', `The record of account ${id} is not readable.`, { account: id, cause });
  }
}
