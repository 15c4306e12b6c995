import fc from 'fast-check';
import type { AccessState, Change, Duration } from '../src/index.ts';

/** Moments of this and the next century, ms since 1970 UTC, with the month's ends drawn often. */
export const moments: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2199, 11, 31) }),
  fc
    .tuple(fc.integer({ min: 2000, max: 2199 }), fc.integer({ min: 0, max: 11 }), fc.integer({ min: -3, max: 1 }))
    .map(([year, month, day]) => Date.UTC(year, month, day) + 45_678_901),
);

export const durations: fc.Arbitrary<Duration> = fc.oneof(
  fc.record({ amount: fc.integer({ min: 1, max: 40 }), unit: fc.constantFrom('Y', 'M', 'W', 'D') }),
  fc.record({ amount: fc.integer({ min: 1, max: 9999 }), unit: fc.constantFrom('M', 'W', 'D') }),
);

export const states: fc.Arbitrary<AccessState> = fc.oneof(
  fc.constant<AccessState>({ state: 'unknown' }),
  fc.constant<AccessState>({ state: 'none' }),
  fc.option(moments).map((expiresAt): AccessState => ({ state: 'granted', expiresAt })),
);

export const absolutes: fc.Arbitrary<Change> = fc.oneof(
  fc.constant<Change>({ kind: 'revoke' }),
  fc.option(moments).map((expiresAt): Change => ({ kind: 'set', expiresAt })),
  fc.record({ kind: fc.constant('set-for'), duration: durations, acceptedAt: moments }),
);

export const extensions: fc.Arbitrary<Extract<Change, { kind: 'extend' }>> = fc.record({
  kind: fc.constant('extend'),
  duration: durations,
  acceptedAt: moments,
});

export const changes: fc.Arbitrary<Change[]> = fc.array(fc.oneof(absolutes, extensions), { maxLength: 8 });
