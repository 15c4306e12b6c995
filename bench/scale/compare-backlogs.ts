import { waitFor } from '@pinegate/testing';
import type { BenchInput } from '../harness/bench.ts';
import { median } from '../harness/median.ts';
import { type BacklogSide, openBacklogSide } from './open-backlog-side.ts';

const SETTLED_MS = 60_000;

interface Round {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
}

/** A stack with each backlog; one works while the other is paused, in turn, after a round that warms both up. */
export async function compareBacklogs({ flags, seed, tell, report, signal }: BenchInput): Promise<void> {
  const rounds = Number(flags.rounds ?? 5);
  const seconds = Number(flags.seconds ?? 10);
  const sizes = String(flags.backlog ?? '10000,1000000')
    .split(',')
    .map(Number);
  const sides: BacklogSide[] = [];
  const results = new Map<BacklogSide, Round[]>();
  try {
    for (const size of sizes) {
      tell(`a backlog of ${size}`);
      const side = await openBacklogSide(size, seed);
      sides.push(side);
      results.set(side, []);
    }
    for (let round = 0; round <= rounds; round++) {
      for (const [side, all] of results) {
        signal.throwIfAborted();
        const measured = await measure(side, seconds);
        if (round === 0) continue;
        all.push(measured);
        report({
          round,
          backlog: side.size,
          'op/s': measured.rate,
          'GET p50, ms': measured.p50,
          'GET p99, ms': measured.p99,
        });
        tell(`round ${round}, ${side.size}: ${measured.rate} op/s, p99 ${measured.p99} ms`);
      }
    }
  } finally {
    for (const side of sides) await side.stop();
  }
  let first: number | undefined;
  for (const [side, all] of results) {
    const rate = median(all.map((r) => r.rate));
    first ??= rate;
    const [p50, p99] = [median(all.map((r) => r.p50)), median(all.map((r) => r.p99))];
    const share = Math.round((rate / first) * 1000) / 1000;
    report({
      backlog: side.size,
      'median op/s': rate,
      'of the small one': share,
      'GET p50, ms': p50,
      'GET p99, ms': p99,
    });
  }
}

async function measure(side: BacklogSide, seconds: number): Promise<Round> {
  const before = await side.settled();
  await side.resume();
  try {
    // The first ones wait for the account to be noticed.
    const flows = async () => (await side.settled()) > before;
    await waitFor(flows, { what: 'the first to settle', withinMs: SETTLED_MS });
    return await side.measure(seconds);
  } finally {
    await side.pause();
  }
}
