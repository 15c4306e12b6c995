import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startRounds, untilRound } from '../src/start-rounds.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('runs at the multiples of its period by the clock of the process, whenever it was started', async () => {
  const begin = Math.ceil(performance.now() / 2_000) * 2_000;
  vi.advanceTimersByTime(begin - performance.now() + 300);
  const times = { short: [] as number[], long: [] as number[] };
  const short = startRounds(1_000, async () => void times.short.push(performance.now() - begin));
  vi.advanceTimersByTime(400);
  const long = startRounds(2_000, async () => void times.long.push(performance.now() - begin));
  await vi.advanceTimersByTimeAsync(3_300);
  const seen = { short: [1_000, 2_000, 3_000, 4_000], long: [2_000, 4_000] };
  expect(times).toEqual(seen);
  await Promise.all([short.stop(), long.stop()]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(times).toEqual(seen);
});

it('begins no round before the last one is over, goes on after one that failed, and stop waits for it', async () => {
  let begun = 0;
  let end = () => {};
  const rounds = startRounds(1_000, async () => {
    begun += 1;
    if (begun === 1) throw new Error('fails');
    await new Promise<void>((resolve) => {
      end = resolve;
    });
  });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(begun).toBe(2);
  let stopped = false;
  const stopping = rounds.stop().then(() => {
    stopped = true;
  });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(stopped).toBe(false);
  end();
  await stopping;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(begun).toBe(2);
});

it('counts a timer that fires early as the round it was for', () => {
  expect(untilRound(1_000, 5_000)).toBe(1_000);
  expect(untilRound(1_000, 4_999.5)).toBe(1_000.5);
  expect(untilRound(1_000, 5_400)).toBe(600);
});
