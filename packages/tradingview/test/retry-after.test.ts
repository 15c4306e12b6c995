import { expect, it } from 'vitest';
import { parseRetryAfter } from '../src/retry-after.ts';

const NOW = Date.UTC(2026, 9, 1);

it.each([
  ['0', 0],
  ['120', 120_000],
  [' 5 ', 5000],
  [new Date(NOW + 30_000).toUTCString(), 30_000],
  [new Date(NOW - 30_000).toUTCString(), 0],
  ['-5', null],
  ['1.5', null],
  ['soon', null],
  ['', null],
  [undefined, null],
  [['9', '10'], 9000],
])('Retry-After %j is %j ms', (value, expected) => {
  expect(parseRetryAfter(value, NOW)).toBe(expected);
});
