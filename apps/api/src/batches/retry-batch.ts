import type { Bells, Directory, Ledger } from '@pinegate/ledger';
import { Problem } from '../problem.ts';

/** What retrying needs. */
export interface RetryParts {
  readonly directory: Directory;
  readonly ledger: Ledger;
  ring(account: string, bells: Bells): Promise<void>;
}

/**
 * Puts the failed operations of a batch back into their chains; one that a later operation has overtaken becomes `superseded`.
 * Errors: `Problem` `unknown_batch`, `batch_cancelled`, `nothing_to_retry`.
 */
export async function retryBatch({ directory, ledger, ring }: RetryParts, id: string): Promise<void> {
  const record = await directory.batches.get(id);
  if (record === null) throw unknownBatch(id);
  if (record.cancelled) throw new Problem('batch_cancelled', 'The batch was cancelled.');
  // Before anything is pending again: a batch must not expire with operations under way.
  await directory.batches.keep(id);
  let touched = 0;
  for (const account of record.accounts) {
    for (let more = 1; more > 0; ) {
      const step = await ledger.account(account).redrivePart(id);
      more = step.more;
      touched += step.redriven + step.superseded;
      await ring(account, step.bells);
    }
  }
  if (touched === 0) throw new Problem('nothing_to_retry', 'No operation of the batch has failed.');
}

/** The answer to the id of no batch. */
export function unknownBatch(id: string): Problem {
  return new Problem('unknown_batch', `There is no batch ${id.slice(0, 60)}, or its retention is over.`);
}
