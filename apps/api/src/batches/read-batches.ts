import { OUTCOMES, type Outcome } from '@pinegate/access';
import type { BatchRecord, Directory, Ledger, PartRecord } from '@pinegate/ledger';
import type { FastifyBaseLogger } from 'fastify';
import type { z } from 'zod';
import { isoTime } from '../access-view.ts';
import type { BATCH_STATES, batch } from '../schemas.ts';

/** A batch as the API shows it. */
export type BatchView = z.output<typeof batch>;

/** State of a batch. */
export type BatchState = (typeof BATCH_STATES)[number];

/** Reads batches: the record of each from the directory, its counters from the ledgers of its accounts. */
export interface BatchReader {
  /** null: there is none, or its retention is over. */
  read(id: string): Promise<BatchView | null>;
  /** In the order of the records. */
  view(records: readonly BatchRecord[]): Promise<readonly BatchView[]>;
}

/** Builds the reader. A batch that it finds settled begins its retention. */
export function buildBatchReader(directory: Directory, ledger: Ledger, log: FastifyBaseLogger): BatchReader {
  async function view(records: readonly BatchRecord[]): Promise<readonly BatchView[]> {
    const parts = await readParts(ledger, records);
    return records.map((record) => {
      const seen = viewBatch(record, parts.get(record.id) ?? []);
      if ((record.upload === 'complete' || record.cancelled) && seen.pending === 0) {
        directory.batches.expire(record.id).catch((err) => log.warn({ err, batch: record.id }, 'retention not begun'));
      }
      return seen;
    });
  }
  return {
    view,
    async read(id) {
      const record = await directory.batches.get(id);
      return record === null ? null : ((await view([record]))[0] ?? null);
    },
  };
}

// One call for each account, whatever the number of batches.
async function readParts(
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
export function viewBatch(record: BatchRecord, parts: readonly PartRecord[]): BatchView {
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
    id: record.id,
    state: stateOf(record, pending),
    rows: record.rows,
    rejected: record.rejected,
    total,
    pending,
    outcomes,
    ratePerSecond: Math.round(rate * 10) / 10,
    etaSeconds: pending === 0 ? 0 : rate > 0 ? Math.ceil(pending / rate) : null,
    createdAt: isoTime(record.createdAt),
  };
}

function stateOf({ cancelled, upload }: BatchRecord, pending: number): BatchState {
  if (cancelled) return 'cancelled';
  if (upload !== 'complete') return upload;
  return pending > 0 ? 'running' : 'done';
}
