import { setTimeout as pause } from 'node:timers/promises';
import type { Stack } from '../../tests/stack/start-stack.ts';

/** What the sandbox had let through and refused of one account at an instant, ms of the local monotonic clock. */
export interface Sample {
  readonly at: number;
  readonly passed: number;
  readonly refused: number;
}

/** The counts of a span of time. */
export interface Span {
  readonly seconds: number;
  readonly perSecond: number;
  /** Share of the requests that was refused. */
  readonly refused: number;
}

/** Looks at the sandbox's counters once a second for so many seconds; samples by account. */
export async function sampleCounters(
  stack: Stack,
  accounts: readonly string[],
  seconds: number,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map<string, Sample[]>(accounts.map((id) => [id, []]));
  const startedAt = performance.now();
  for (let tick = 0; tick <= seconds; tick++) {
    await pause(Math.max(0, startedAt + tick * 1000 - performance.now()), undefined, { signal });
    const { body } = await stack.sandbox('GET', '/__sandbox/counters');
    const at = performance.now();
    for (const [id, list] of samples) {
      const { requests = 0, refused = 0 } = body.accounts[id] ?? {};
      list.push({ at, passed: requests - refused, refused });
    }
  }
  return samples;
}

/** What happened between two samples. */
function spanOf(from: Sample, to: Sample): Span {
  const seconds = (to.at - from.at) / 1000;
  const passed = to.passed - from.passed;
  const refused = to.refused - from.refused;
  return { seconds, perSecond: passed / seconds, refused: passed + refused === 0 ? 0 : refused / (passed + refused) };
}

/** What happened between the first and the last of the samples. */
export function wholeSpan(samples: readonly Sample[]): Span {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last) throw new RangeError('no samples');
  return spanOf(first, last);
}

/**
 * Seconds until a limit is in use again: the beginning of the first `windowS` seconds in which at least `used` of it passed and at most
 * `refused` of the requests were refused. Null when that did not come.
 */
export function settledAfter(
  samples: readonly Sample[],
  limit: number,
  { windowS = 10, used = 0.9, refused = 0.02 } = {},
): number | null {
  for (const [i, from] of samples.entries()) {
    const to = samples[i + windowS];
    if (!to) return null;
    const span = spanOf(from, to);
    if (span.perSecond >= used * limit && span.refused <= refused)
      return Math.round((from.at - (samples[0]?.at ?? 0)) / 1000);
  }
  return null;
}
