import { expect, test } from 'vitest';
import { backoffMs } from '../src/backoff.ts';

test('each try waits twice as long as the one before, up to a minute, between half and all of it', () => {
  const most = [0, 1, 2, 3, 4, 5, 6, 7, 255].map((tries) => backoffMs(tries, () => 1));
  expect(most).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  const least = [0, 1, 255].map((tries) => backoffMs(tries, () => 0));
  expect(least).toEqual([500, 1_000, 30_000]);
});
