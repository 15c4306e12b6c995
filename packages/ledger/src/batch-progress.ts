import { OUTCOMES, type Outcome } from '@pinegate/access';
import type { BatchRecord } from './directory-types.ts';
import type { Ledger } from './open-ledger.ts';
import type { PartRecord } from './types.ts';

/** How far a batch is, over all its accounts. */
export interface BatchProgress {
  /** Of a batch that was cancelled `pending` falls afterwards. */
  readonly state: Exclude<BatchRecord['upload'], 'complete'> | 'running' | 'done' | 'cancelled';
  readonly total: number;
  readonly pending: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Operations settled a second, to a tenth. */
  readonly ratePerSecond: number;
  /** null: nothing settles now. */
  readonly etaSeconds: number | null;
}

/** The parts of batches by the batch's id: one call for each account, whatever the number of batches. */
export async function readBatchParts(
  ledger: Ledger,
  records: readonly BatchRecord[],
): Promise<ReadonlyMap<string, readonly PartRecord[]>> {
  const byAccount = new Map<string, string[]>();
  for (const { id, accounts } of records) {
    for (const account of accounts) byAccount.set(account, [...(byAccount.get(account) ?? []), id]);
  }
  const byBatch = new Map<string, PartRecord[]>();
  const reads = [...byAccount].map(([account, ids]) => ledger.account(account).readParts(ids));
  for (const part of (await Promise.all(reads)).flat()) {
    if (part !== null) byBatch.set(part.id, [...(byBatch.get(part.id) ?? []), part]);
  }
  return byBatch;
}

/** The sum of the parts of a batch. Pure. */
export function sumParts(record: BatchRecord, parts: readonly PartRecord[]): BatchProgress {
  const outcomes = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>;
  let total = 0;
  let pending = 0;
  let rate = 0;
  for (const part of parts) {
    total += part.total;
    pending += part.pending;
    if (part.pending > 0) rate += part.ratePerSecond;
    for (const outcome of OUTCOMES) outcomes[outcome] += part.outcomes[outcome];
  }
  return {
    state: stateOf(record, pending),
    total,
    pending,
    outcomes,
    ratePerSecond: Math.round(rate * 10) / 10,
    etaSeconds: pending === 0 ? 0 : rate > 0 ? Math.ceil(pending / rate) : null,
  };
}

function stateOf({ cancelled, upload }: BatchRecord, pending: number): BatchProgress['state'] {
  if (cancelled) return 'cancelled';
  if (upload !== 'complete') return upload;
  return pending > 0 ? 'running' : 'done';
}
