import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, test } from 'vitest';
import { type AccessState, addDuration, type Change, effectiveState, fold, sameState } from '../src/index.ts';
import { absolutes, changes, durations, extensions, moments, states } from './arbitraries.ts';

const at = (text: string) => Date.parse(text);
const extend = (duration: [number, 'Y' | 'M' | 'W' | 'D'], acceptedAt: string): Change => ({
  kind: 'extend',
  duration: { amount: duration[0], unit: duration[1] },
  acceptedAt: at(acceptedAt),
});
const until = (text: string): AccessState => ({ state: 'granted', expiresAt: at(text) });
const LIFETIME: AccessState = { state: 'granted', expiresAt: null };

describe('fold', () => {
  test('leaves a base without changes as it is', () => {
    fc.assert(
      fc.property(states, (base) => {
        expect(fold(base, [])).toEqual(base);
      }),
    );
  });

  test('gives the same however the chain is cut in two', () => {
    fc.assert(
      fc.property(states, changes, fc.nat(8), (base, chain, cut) => {
        expect(fold(fold(base, chain.slice(0, cut)), chain.slice(cut))).toEqual(fold(base, chain));
      }),
    );
  });

  test('forgets everything before an absolute change', () => {
    fc.assert(
      fc.property(states, states, changes, absolutes, (base, other, before, change) => {
        expect(fold(base, [...before, change])).toEqual(fold(other, [change]));
      }),
    );
  });

  test('repeating an absolute change changes nothing', () => {
    fc.assert(
      fc.property(states, absolutes, (base, change) => {
        expect(fold(base, [change, change])).toEqual(fold(base, [change]));
      }),
    );
  });

  test('never shortens an access by extending it', () => {
    fc.assert(
      fc.property(states, fc.array(extensions, { minLength: 1, maxLength: 5 }), (base, chain) => {
        const end = (state: AccessState) =>
          state.state === 'granted' ? (state.expiresAt ?? Number.POSITIVE_INFINITY) : Number.NEGATIVE_INFINITY;
        let state = base;
        for (const change of chain) {
          const next = fold(state, [change]);
          expect(end(next)).toBeGreaterThanOrEqual(Math.min(end(state), Date.UTC(9999, 11, 31)));
          expect(end(next)).toBeGreaterThan(change.acceptedAt);
          state = next;
        }
      }),
    );
  });

  test('extends a dated access as Temporal does, from the later of its date and the accept time', () => {
    const keys = { Y: 'years', M: 'months', W: 'weeks', D: 'days' } as const;
    fc.assert(
      fc.property(moments, fc.array(extensions, { maxLength: 3 }), (start, chain) => {
        let expected = Temporal.Instant.fromEpochMilliseconds(start).toZonedDateTimeISO('UTC');
        for (const { acceptedAt, duration } of chain) {
          const accepted = Temporal.Instant.fromEpochMilliseconds(acceptedAt).toZonedDateTimeISO('UTC');
          const from = Temporal.ZonedDateTime.compare(expected, accepted) < 0 ? accepted : expected;
          expected = from.add({ [keys[duration.unit]]: duration.amount });
        }
        const folded = fold({ state: 'granted', expiresAt: start }, chain);
        expect(folded).toEqual({ state: 'granted', expiresAt: expected.epochMilliseconds });
      }),
    );
  });

  test('counts an extension from its accept time where there is no current expiry', () => {
    fc.assert(
      fc.property(durations, moments, (duration, acceptedAt) => {
        const expected = { state: 'granted', expiresAt: addDuration(acceptedAt, duration) };
        const change: Change = { kind: 'extend', duration, acceptedAt };
        expect(fold({ state: 'unknown' }, [change])).toEqual(expected);
        expect(fold({ state: 'none' }, [change])).toEqual(expected);
        expect(fold({ state: 'granted', expiresAt: acceptedAt - 1 }, [change])).toEqual(expected);
      }),
    );
  });

  test('applies extensions one after another and never summed', () => {
    const twice = [extend([1, 'M'], '2026-01-01T00:00:00Z'), extend([1, 'M'], '2026-01-01T00:00:00Z')];
    // 31 January + 1M + 1M by way of 28 February; summed it would be 31 March.
    expect(fold(until('2026-01-31T00:00:00Z'), twice)).toEqual(until('2026-03-28T00:00:00Z'));
  });

  test('leaves a lifetime a lifetime', () => {
    expect(fold(LIFETIME, [extend([1, 'M'], '2026-01-01T00:00:00Z')])).toEqual(LIFETIME);
  });

  test('extends from the accept time again after a revoke', () => {
    const chain: Change[] = [{ kind: 'revoke' }, extend([2, 'W'], '2026-05-01T12:00:00Z')];
    expect(fold(until('2030-01-01T00:00:00Z'), chain)).toEqual(until('2026-05-15T12:00:00Z'));
  });

  test('counts a duration from its accept time, whatever the current expiry', () => {
    const change: Change = {
      kind: 'set-for',
      duration: { amount: 30, unit: 'D' },
      acceptedAt: at('2026-05-01T12:00:00Z'),
    };
    expect(fold(until('2030-01-01T00:00:00Z'), [change])).toEqual(until('2026-05-31T12:00:00Z'));
    expect(fold(LIFETIME, [change])).toEqual(until('2026-05-31T12:00:00Z'));
  });
});

describe('effectiveState and sameState', () => {
  const now = at('2026-06-01T00:00:00Z');

  test('a date that has passed is no access, one that is now as well', () => {
    expect(effectiveState(until('2026-05-31T00:00:00Z'), now)).toEqual({ state: 'none' });
    expect(effectiveState(until('2026-06-01T00:00:00Z'), now)).toEqual({ state: 'none' });
    expect(effectiveState(until('2026-06-01T00:00:00.001Z'), now)).toEqual(until('2026-06-01T00:00:00.001Z'));
    expect(effectiveState(LIFETIME, now)).toEqual(LIFETIME);
    expect(effectiveState({ state: 'unknown' }, now)).toEqual({ state: 'unknown' });
  });

  test('two states are the same when they count the same', () => {
    expect(sameState(until('2026-05-01T00:00:00Z'), { state: 'none' }, now)).toBe(true);
    expect(sameState(until('2026-05-01T00:00:00Z'), until('2025-05-01T00:00:00Z'), now)).toBe(true);
    expect(sameState(until('2026-07-01T00:00:00Z'), until('2026-07-01T00:00:00Z'), now)).toBe(true);
    expect(sameState(until('2026-07-01T00:00:00Z'), until('2026-07-01T00:00:00.001Z'), now)).toBe(false);
    expect(sameState(LIFETIME, LIFETIME, now)).toBe(true);
    expect(sameState(LIFETIME, until('2026-07-01T00:00:00Z'), now)).toBe(false);
    expect(sameState(LIFETIME, { state: 'none' }, now)).toBe(false);
  });

  test('unknown is the same as nothing', () => {
    fc.assert(
      fc.property(states, moments, (state, moment) => {
        expect(sameState({ state: 'unknown' }, state, moment)).toBe(false);
        expect(sameState(state, { state: 'unknown' }, moment)).toBe(false);
      }),
    );
  });
});
