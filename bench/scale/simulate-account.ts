import type { Random } from '../../examples/seeded-random.ts';
import { createWaitCounts, type WaitCounts } from './create-wait-counts.ts';

/** What an account's day came to. */
export interface AccountDay {
  readonly done: number;
  readonly pending: number;
  readonly doneBySecond: Uint16Array;
  /** From when each single operation was accepted until it had settled. */
  readonly singleWaits: WaitCounts;
  /** From when each batch was accepted until the last of its rows had settled. */
  readonly batchWaits: WaitCounts;
}

export interface AccountInput {
  /** Operations asked for a second, on average over the day. */
  readonly perSecond: number;
  /** Requests a second that the account may send. */
  readonly rate: number;
  readonly seconds: number;
  /** From when a request is sent until it has settled, s. */
  readonly latencyS: number;
  readonly random: Random;
}

const BATCH_ROWS = 1_000;
const CHUNK_KEYS = 50;
/** A tenth of what is asked for are single operations. */
const SINGLE_SHARE = 0.1;
/** Bulk keeps this share of the permits while single operations wait. */
const BULK_EVERY = 10;
/** How far bulk may have reserved ahead of a single operation that comes, s. */
const BULK_AHEAD_S = 0.25;
/** The busiest hour of the day asks for so many times the average. */
const DAY_SWING = 0.8;
const DAY_S = 86_400;
const DRAW = 2 ** 30;

interface Batch {
  readonly at: number;
  left: number;
}

/** One permit after another: single operations first, every tenth to bulk while both wait, batches take turns by the chunk. */
export function simulateAccount({ perSecond, rate, seconds, latencyS, random }: AccountInput): AccountDay {
  const singles = arrivals(perSecond * SINGLE_SHARE, seconds, random);
  const coming = arrivals((perSecond * (1 - SINGLE_SHARE)) / BATCH_ROWS, seconds, random);
  const waiting: Batch[] = [];
  const singleWaits = createWaitCounts();
  const batchWaits = createWaitCounts();
  const doneBySecond = new Uint16Array(Math.ceil(seconds) + 1);
  const step = 1 / rate;
  let [t, s, b, inTurn, credit, done, bulkUntil] = [0, 0, 0, 0, 0, 0, 0];

  function settleBulk(): void {
    const batch = waiting[0] as Batch;
    batch.left -= 1;
    inTurn += 1;
    if (batch.left === 0) batchWaits.add(t - batch.at + latencyS);
    if (batch.left === 0 || inTurn === CHUNK_KEYS) {
      waiting.shift();
      if (batch.left > 0) waiting.push(batch);
      inTurn = 0;
    }
    bulkUntil = t + BULK_AHEAD_S;
  }

  while (t < seconds) {
    while (b < coming.length && (coming[b] as number) <= t)
      waiting.push({ at: coming[b++] as number, left: BATCH_ROWS });
    const single = singles[s] ?? Number.POSITIVE_INFINITY;
    if (single > t && waiting.length === 0) {
      t = Math.min(seconds, Math.max(t, Math.min(single, coming[b] ?? Number.POSITIVE_INFINITY)));
      if (t >= seconds) break;
      continue;
    }
    // What bulk has reserved already goes first.
    const isSingle = single + Math.max(0, Math.min(BULK_AHEAD_S, bulkUntil - single)) <= t || waiting.length === 0;
    if (isSingle && (waiting.length === 0 || credit < BULK_EVERY - 1)) {
      singleWaits.add(t - single + latencyS);
      s += 1;
      credit = waiting.length === 0 ? 0 : credit + 1;
    } else {
      settleBulk();
      credit = 0;
    }
    done += 1;
    doneBySecond[Math.floor(t)] = (doneBySecond[Math.floor(t)] ?? 0) + 1;
    t += step;
  }
  const bulkLeft = waiting.reduce((sum, { left }) => sum + left, 0);
  return { done, pending: singles.length - s + bulkLeft, doneBySecond, singleWaits, batchWaits };
}

/** Times of independent arrivals, more of them in the middle of the day. */
function arrivals(perSecond: number, seconds: number, random: Random): number[] {
  const times: number[] = [];
  const most = perSecond * (1 + DAY_SWING);
  const uniform = () => (random.below(DRAW) + 0.5) / DRAW;
  for (let t = -Math.log(uniform()) / most; t < seconds; t += -Math.log(uniform()) / most) {
    const now = 1 - DAY_SWING * Math.cos((2 * Math.PI * t) / DAY_S);
    if (uniform() * (1 + DAY_SWING) < now) times.push(t);
  }
  return times;
}
