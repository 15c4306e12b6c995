import { LIMITERS } from './limiters.ts';
import type { Sender } from './senders.ts';
import { simulate, type Usage } from './simulate.ts';

/** One limiter and rate over ten seeds: the limit halves at 180 s and is back at 280 s. */
export type Row = {
  readonly limiter: string;
  readonly rate: number;
  /** 60 s to 180 s, mean; `worst`: the least used of a seed. */
  readonly steady: Usage & { readonly worst: number };
  /** 30 s to 100 s after halving, mean. */
  readonly halved: Usage;
  /** 0 s to 60 s and 60 s to 100 s after doubling, share of the limit used, mean. */
  readonly doubled: readonly [soon: number, later: number];
};

export type Setting = {
  readonly retryAfter?: boolean;
  readonly workers?: number;
  readonly ahead?: number;
  readonly latency?: number;
};

export const RATES = [5, 50, 500];
const SEEDS = 10;

const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;

/** Runs one row of the comparison. */
export function compare(limiter: string, rate: number, sender: () => Sender, setting: Setting = {}): Row {
  const runs = Array.from({ length: SEEDS }, (_, i) => {
    const make = LIMITERS[limiter];
    if (!make) throw new RangeError(`no limiter called ${limiter}`);
    const changes = [
      [180, rate / 2],
      [280, rate],
    ] as const;
    const run = simulate({ limiter: make(rate), sender: sender(), seed: i + 1, seconds: 380, changes, ...setting });
    return {
      steady: run.part(60, 180, rate),
      halved: run.part(210, 280, rate / 2),
      soon: run.part(280, 340, rate).used,
      later: run.part(340, 380, rate).used,
    };
  });
  const usage = (part: 'steady' | 'halved'): Usage => ({
    used: mean(runs.map((r) => r[part].used)),
    refused: mean(runs.map((r) => r[part].refused)),
  });
  return {
    limiter,
    rate,
    steady: { ...usage('steady'), worst: Math.min(...runs.map((r) => r.steady.used)) },
    halved: usage('halved'),
    doubled: [mean(runs.map((r) => r.soon)), mean(runs.map((r) => r.later))],
  };
}
