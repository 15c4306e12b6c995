import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, test } from 'vitest';
import { addDuration, type Duration, formatDuration, parseDuration } from '../src/index.ts';
import { durations, moments } from './arbitraries.ts';

const at = (text: string) => Date.parse(text);
const plus = (text: string, duration: string) =>
  new Date(addDuration(at(text), parseDuration(duration) as Duration)).toISOString();

describe('addDuration', () => {
  test.each([
    ['2026-01-31T10:00:00.123Z', '1M', '2026-02-28T10:00:00.123Z'],
    ['2028-01-31T10:00:00.000Z', '1M', '2028-02-29T10:00:00.000Z'],
    ['2028-02-29T00:00:00.000Z', '1Y', '2029-02-28T00:00:00.000Z'],
    ['2028-02-29T00:00:00.000Z', '4Y', '2032-02-29T00:00:00.000Z'],
    ['2096-02-29T23:59:59.999Z', '4Y', '2100-02-28T23:59:59.999Z'],
    ['2026-12-31T00:00:00.000Z', '2M', '2027-02-28T00:00:00.000Z'],
    ['2026-10-31T00:00:00.000Z', '1M', '2026-11-30T00:00:00.000Z'],
    ['2026-02-28T00:00:00.000Z', '1M', '2026-03-28T00:00:00.000Z'],
    ['2026-03-28T12:00:00.000Z', '1D', '2026-03-29T12:00:00.000Z'],
    ['2026-12-30T12:00:00.000Z', '2W', '2027-01-13T12:00:00.000Z'],
  ])('%s + %s = %s', (from, duration, to) => {
    expect(plus(from, duration)).toBe(to);
  });

  test('stops at the last date with a four-digit year', () => {
    expect(plus('2026-01-01T00:00:00Z', '9999Y')).toBe('9999-12-31T23:59:59.999Z');
    expect(plus('9999-12-30T00:00:00Z', '9999D')).toBe('9999-12-31T23:59:59.999Z');
  });

  test('agrees with Temporal', () => {
    const keys = { Y: 'years', M: 'months', W: 'weeks', D: 'days' } as const;
    fc.assert(
      fc.property(moments, durations, (from, duration) => {
        const expected = Temporal.Instant.fromEpochMilliseconds(from)
          .toZonedDateTimeISO('UTC')
          .add({ [keys[duration.unit]]: duration.amount }).epochMilliseconds;
        expect(addDuration(from, duration)).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  test('lands on the same day of the month, or on its last day where it has no such day', () => {
    const months = fc.integer({ min: 1, max: 600 });
    fc.assert(
      fc.property(moments, months, (from, amount) => {
        const before = new Date(from);
        const after = new Date(addDuration(from, { amount, unit: 'M' }));
        const nextDay = new Date(after.getTime() + 86_400_000);
        const monthsApart =
          (after.getUTCFullYear() - before.getUTCFullYear()) * 12 + after.getUTCMonth() - before.getUTCMonth();
        expect(monthsApart).toBe(amount);
        expect(after.getTime() % 86_400_000).toBe(from % 86_400_000);
        if (after.getUTCDate() !== before.getUTCDate()) {
          expect(after.getUTCDate()).toBeLessThan(before.getUTCDate());
          expect(nextDay.getUTCMonth()).not.toBe(after.getUTCMonth());
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('is monotonic: a later start never ends earlier', () => {
    fc.assert(
      fc.property(moments, moments, durations, (a, b, duration) => {
        expect(addDuration(Math.max(a, b), duration)).toBeGreaterThanOrEqual(addDuration(Math.min(a, b), duration));
      }),
    );
  });
});

describe('parseDuration', () => {
  test('reads what formatDuration writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9999 }), fc.constantFrom('Y', 'M', 'W', 'D'), (amount, unit) => {
        expect(parseDuration(formatDuration({ amount, unit }))).toEqual({ amount, unit });
      }),
    );
  });

  test('reads 1L as a lifetime and leading zeros as a number', () => {
    expect(parseDuration('1L')).toBe('lifetime');
    expect(parseDuration('007D')).toEqual({ amount: 7, unit: 'D' });
  });

  test.each([
    '',
    'D',
    '0D',
    '000M',
    '10000D',
    '30d',
    ' 30D',
    '30D ',
    '30',
    '-1D',
    '+1D',
    '1.5M',
    '2L',
    'L',
    '1H',
    '１D',
    '1D1D',
    '1D\n',
  ])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeNull();
  });
});
