import type { Directory } from './directory-types.ts';
import type { Ledger } from './open-ledger.ts';
import type { Bells } from './types.ts';

/** What redriving needs. */
export interface RedriveParts {
  readonly directory: Pick<Directory, 'batches'>;
  readonly ledger: Ledger;
  /** Rings for what was written. */
  ring(account: string, bells: Bells): Promise<void>;
}

/**
 * Puts the failed operations of a batch back into their chains; one that a later operation has overtaken becomes `superseded`.
 * @returns how many there were; `unknown` and `cancelled`: the batch is gone, or was called off;
 * `full`: all of them stay failed, since their chains have no room.
 */
export async function redriveBatch(
  { directory, ledger, ring }: RedriveParts,
  id: string,
): Promise<number | 'unknown' | 'cancelled' | 'full'> {
  const record = await directory.batches.get(id);
  if (record === null) return 'unknown';
  if (record.cancelled) return 'cancelled';
  // Before anything is pending again: a batch must not expire with operations under way.
  await directory.batches.keep(id);
  let touched = 0;
  let refused = 0;
  for (const account of record.accounts) {
    for (let more = 1; more > 0; ) {
      const step = await ledger.account(account).redrivePart(id);
      more = step.more;
      touched += step.redriven + step.superseded;
      refused += step.refused;
      await ring(account, step.bells);
    }
  }
  return touched === 0 && refused > 0 ? 'full' : touched;
}
