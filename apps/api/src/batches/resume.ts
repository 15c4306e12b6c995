import type { Checkpoint, Directory, Ledger, SubmitRow } from '@pinegate/ledger';
import { Problem } from '../problem.ts';
import { CHUNK_ROWS, CHUNKS_IN_FLIGHT, type RowChunk } from './row-chunks.ts';

/** What earlier requests for the same batch have left. */
export interface Resume {
  /** Rows that stand rejected. */
  readonly rejected: ReadonlySet<number>;
  /** The checkpoint is written already. */
  knows(checkpoint: Checkpoint): boolean;
  /** Errors: `Problem` `resume_differs` when the bytes up to the end of this chunk are not those that were received before. */
  compare(chunk: RowChunk): void;
  /** All of the chunk up to row `last` is stored and its rows are in the ledger: nothing is left to do for it. */
  isStored(last: number, rows: ReadonlyMap<string, readonly SubmitRow[]>): boolean;
}

/** Reads what earlier requests have left; of a new batch that is nothing. */
export async function buildResume(
  { directory, ledger }: { readonly directory: Directory; readonly ledger: Ledger },
  batch: string,
): Promise<Resume> {
  const [record, checkpoints] = await Promise.all([directory.batches.get(batch), directory.batches.checkpoints(batch)]);
  const hashes = new Map(checkpoints.map(({ row, hash }) => [row, hash]));
  const newest = checkpoints.at(-1)?.row ?? 0;
  // A checkpoint is written only when the chunk that many before it is stored completely.
  const storedTo = newest - CHUNKS_IN_FLIGHT * CHUNK_ROWS;
  const watermarks = new Map<string, number>();
  let rejected: ReadonlySet<number> = new Set();
  if (newest > 0 && record !== null) {
    for (const account of record.accounts) {
      const [part] = await ledger.account(account).readParts([batch]);
      watermarks.set(account, part?.watermark ?? 0);
    }
    rejected = await directory.batches.rejectedRows(batch);
  }
  return {
    rejected,
    knows: ({ row, hash }) => hashes.get(row) === hash,
    compare(chunk) {
      const last = chunk.first + chunk.rows.length - 1;
      const known = hashes.get(last);
      // An earlier request ended inside this chunk, or went on after the end of this one.
      const endsApart = (newest >= chunk.first && newest < last) || (chunk.last && newest > last);
      if (endsApart || (known !== undefined && known !== chunk.hash)) throw differs(chunk.first, last);
    },
    isStored(last, rows) {
      if (last > storedTo) return false;
      return [...rows].every(([account, sent]) => (sent.at(-1)?.row ?? 0) <= (watermarks.get(account) ?? 0));
    },
  };
}

function differs(from: number, to: number): Problem {
  return new Problem('resume_differs', `Rows ${from} to ${to} are not the ones that were received before.`, {
    members: { from, to },
  });
}
