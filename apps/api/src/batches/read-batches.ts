import {
  type BatchRecord,
  type Directory,
  type Ledger,
  type PartRecord,
  readBatchParts,
  sumParts,
} from '@pinegate/ledger';
import type { FastifyBaseLogger } from 'fastify';
import type { z } from 'zod';
import { isoTime } from '../access-view.ts';
import type { batch } from '../schemas.ts';

/** A batch as the API shows it. */
export type BatchView = z.output<typeof batch>;

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
    const parts = await readBatchParts(ledger, records);
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

/** A batch with the sum of its parts. Pure. */
export function viewBatch(record: BatchRecord, parts: readonly PartRecord[]): BatchView {
  const { id, rows, rejected, createdAt } = record;
  const { state, ...sums } = sumParts(record, parts);
  return { id, state, rows, rejected, ...sums, createdAt: isoTime(createdAt) };
}
