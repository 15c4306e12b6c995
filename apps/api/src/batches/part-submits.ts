import type { AccountLedger, Bells, EndedCount, PartRef, SubmitResult, SubmitRow } from '@pinegate/ledger';
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
  /** Waits for `ready` and for its turn. Errors: `Problem` `batch_cancelled`, `unavailable`, and those of Redis. */
  submit(rows: readonly SubmitRow[], ready: Promise<void>): Promise<Submitted>;
  /** The row is known to be in the ledger and is not sent. */
  skip(row: number): void;
}

interface Turn {
  /** It has been sent, or never will be. */
  readonly sent: Promise<void>;
  readonly answered: Promise<unknown>;
}

const FIRST: Turn = { sent: Promise.resolve(), answered: Promise.resolve() };

/**
 * Builds the submits of one part. After a failure every later submit of it fails likewise. Two are under way at once, so that Redis has the
 * next one at hand: it names the last row of the one before, and where that has not been taken the ledger answers `gap`, writes
 * nothing, and it is sent again in its turn.
 */
export function buildPartSubmits(ledger: Pick<AccountLedger, 'submit'>, part: PartRef): PartSubmits {
  let [before, previous] = [FIRST, FIRST];
  // Last row that was given to `submit` or `skip`, and last row that is surely in the ledger.
  let given = 0;
  let after = 0;

  function take(result: SubmitResult & { status: 'taken' }, rows: readonly SubmitRow[]): Submitted {
    after = Math.max(after, lastOf(rows) ?? after);
    return { refused: result.refused, bells: [result.bells], ended: result.ended, part: result.part };
  }

  async function send(rows: readonly SubmitRow[]): Promise<Submitted> {
    const result = await persist(() => ledger.submit(part, after, rows));
    if (result.status === 'cancelled') throw cancelled();
    return result.status === 'gap' ? sendAround(result.watermark, rows) : take(result, rows);
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

  async function sendAhead(rows: readonly SubmitRow[], from: number, last: Turn, told: () => void): Promise<Submitted> {
    const result = await persist(() => {
      const answer = ledger.submit(part, from, rows);
      told();
      return answer;
    });
    if (result.status === 'cancelled') throw cancelled();
    // Where the one before has failed, this one fails likewise.
    await last.answered;
    return result.status === 'gap' ? send(rows) : take(result, rows);
  }

  return {
    submit(rows, ready) {
      const from = given;
      given = lastOf(rows) ?? given;
      const [last, lastButOne] = [previous, before];
      const { promise: sent, resolve: told } = Promise.withResolvers<void>();
      const answered = Promise.all([last.sent, lastButOne.answered, ready])
        .then(() => sendAhead(rows, from, last, told))
        .finally(told);
      before = last;
      previous = { sent, answered };
      // Whoever submitted hears of it; the chain itself must not count as an unhandled rejection.
      answered.catch(() => {});
      return answered;
    },
    skip(row) {
      given = Math.max(given, row);
      after = Math.max(after, row);
    },
  };
}

function lastOf(rows: readonly SubmitRow[]): number | undefined {
  return rows.at(-1)?.row;
}

function cancelled(): Problem {
  return new Problem('batch_cancelled', 'The batch was cancelled.');
}
