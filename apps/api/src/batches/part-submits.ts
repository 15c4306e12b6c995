import type { AccountLedger, Bells, EndedCount, PartRef, SubmitRow } from '@pinegate/ledger';
import { Problem } from '../problem.ts';
import { persist } from './persist.ts';

/** What came of submitting rows. */
export interface Submitted {
  readonly refused: readonly number[];
  readonly bells: readonly Bells[];
  readonly ended: readonly EndedCount[];
  /** Number of the part in its account. */
  readonly part: number | null;
}

/** The submits of one part, strictly one after another. */
export interface PartSubmits {
  /** Waits for `ready` and for the submits before it. Errors: `Problem` `batch_cancelled`, `unavailable`, and those of Redis. */
  submit(rows: readonly SubmitRow[], ready: Promise<void>): Promise<Submitted>;
  /** The row is known to be in the ledger and is not sent. */
  skip(row: number): void;
}

/** Builds the submits of one part. After a failure every later submit of it fails likewise. */
export function buildPartSubmits(ledger: AccountLedger, part: PartRef): PartSubmits {
  let tail: Promise<unknown> = Promise.resolve();
  let after = 0;

  async function send(rows: readonly SubmitRow[]): Promise<Submitted> {
    const last = rows.at(-1)?.row ?? after;
    const result = await persist(() => ledger.submit(part, after, rows));
    if (result.status === 'cancelled') throw new Problem('batch_cancelled', 'The batch was cancelled.');
    if (result.status === 'gap') return sendAround(result.watermark, rows);
    after = Math.max(after, last);
    return { refused: result.refused, bells: [result.bells], ended: result.ended, part: result.part };
  }

  // The ledger is ahead of this request: an earlier one sent these rows, or some of them.
  async function sendAround(watermark: number, rows: readonly SubmitRow[]): Promise<Submitted> {
    if (watermark <= after) {
      throw new Problem('unavailable', 'The ledger lacks rows of this upload. Send it again.', { retryAfter: 1 });
    }
    const known = rows.filter(({ row }) => row <= watermark);
    const unknown = rows.filter(({ row }) => row > watermark);
    const first = known.length === 0 ? { refused: [], bells: [], ended: [], part: null } : await send(known);
    after = watermark;
    if (unknown.length === 0) return first;
    const second = await send(unknown);
    return {
      refused: [...first.refused, ...second.refused],
      bells: [...first.bells, ...second.bells],
      ended: [...first.ended, ...second.ended],
      part: second.part,
    };
  }

  return {
    submit(rows, ready) {
      const sent = Promise.all([tail, ready]).then(() => send(rows));
      tail = sent;
      // Whoever submitted hears of it; the chain itself must not count as an unhandled rejection.
      sent.catch(() => {});
      return sent;
    },
    skip(row) {
      after = Math.max(after, row);
    },
  };
}
