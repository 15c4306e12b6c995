import { LANES } from '@pinegate/access';
import type { AccountLedger, EndedOperation, LedgerSummary } from '@pinegate/ledger';
import type { Bells } from '@pinegate/queues';

const KEYS_AT_ONCE = 500;
const MOST_STEPS = 40;

/** What a sweep did. `nextDue`: Redis time of the next key that is due, ms. */
export interface SweepResult {
  readonly moved: number;
  readonly rung: number;
  readonly nextDue: number | null;
}

/**
 * Finds what nobody would ring for again: keys that are due, chunks whose job is gone, completed or failed, chunks that wait in a lane
 * with too few jobs, cancels whose caller died. Bounded: what is left is found by the next sweep.
 */
export async function sweepAccount(
  ledger: AccountLedger,
  bells: Bells,
  onEnded: (ended: readonly EndedOperation[]) => void = () => {},
): Promise<SweepResult> {
  if (isIdle(await ledger.summary())) return { moved: 0, rung: 0, nextDue: null };
  await finishCancels(ledger, onEnded);
  let moved = 0;
  let nextDue: number | null = null;
  for (let step = 0; step < MOST_STEPS; step++) {
    const swept = await ledger.sweepDue(KEYS_AT_ONCE);
    moved += swept.moved;
    nextDue = swept.nextDue;
    if (swept.moved < KEYS_AT_ONCE) break;
  }
  await putBackLostChunks(ledger, bells);
  const rung = await ringWaiting(ledger, bells);
  return { moved, rung, nextDue };
}

/** Most accounts are, most of the time: one call says so. */
function isIdle({ pending, openChunks, cancelsUnderWay, nextDue }: LedgerSummary): boolean {
  return nextDue === null && openChunks + cancelsUnderWay === 0 && LANES.every((lane) => pending[lane] === 0);
}

async function finishCancels(
  ledger: AccountLedger,
  onEnded: (ended: readonly EndedOperation[]) => void,
): Promise<void> {
  for (let step = 0; step < MOST_STEPS; step++) {
    const { left, ended } = await ledger.cancelSome();
    onEnded(ended);
    if (left === 0) break;
  }
}

async function putBackLostChunks(ledger: AccountLedger, bells: Bells): Promise<void> {
  for (const lane of LANES) {
    const taken = await ledger.takenChunks(lane);
    if (taken.length === 0) continue;
    const jobs = taken.map((t) => t.job);
    const states = await bells.states(ledger.account, lane, jobs);
    for (const [i, { job, chunk }] of taken.entries()) {
      const state = states[i];
      if (state === 'gone' || state === 'completed' || state === 'failed') await ledger.putBack(lane, job, chunk);
    }
  }
}

/** As many bells as chunks: one that is rung twice finds nothing and costs little, one that is lost leaves a chunk lying. */
async function ringWaiting(ledger: AccountLedger, bells: Bells): Promise<number> {
  const { waitingChunks } = await ledger.summary();
  let rung = 0;
  for (const lane of LANES) {
    if (waitingChunks[lane] === 0) continue;
    const { waiting } = await bells.counts(ledger.account, lane);
    const missing = waitingChunks[lane] - waiting;
    if (missing <= 0) continue;
    await bells.ring(ledger.account, lane, missing);
    rung += missing;
  }
  return rung;
}
