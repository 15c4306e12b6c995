import type { BatchRecord, FailureRecord, Ledger } from '@pinegate/ledger';
import { invalidCursor } from '../cursor.ts';

/** A failure and whose ledger it is in. */
export interface AccountFailure {
  readonly account: string;
  readonly failure: FailureRecord;
}

/**
 * One page of the operations of a batch that ended `rejected` or `failed`, account after account.
 * @param cursor `<account>:<cursor of its list>`
 * Errors: `Problem` `invalid_cursor`.
 */
export async function listFailures(
  ledger: Ledger,
  record: BatchRecord,
  cursor: string | null,
  limit: number,
): Promise<{ readonly items: readonly AccountFailure[]; readonly next: string | null }> {
  const match = cursor === null ? null : /^([a-z0-9-]{1,32}):(\d{1,9})?$/.exec(cursor);
  if (cursor !== null && match === null) throw invalidCursor();
  const begin = match?.[1] ?? '';
  let inner = match?.[2] ?? null;
  const items: AccountFailure[] = [];
  for (const account of record.accounts) {
    if (account < begin) continue;
    if (items.length === limit) return { items, next: `${account}:` };
    if (account !== begin) inner = null;
    const page = await ledger.account(account).listFailures(record.id, inner, limit - items.length);
    items.push(...page.items.map((failure) => ({ account, failure })));
    if (page.next !== null) return { items, next: `${account}:${page.next}` };
  }
  return { items, next: null };
}
