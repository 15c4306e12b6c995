import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ControllerState } from '../src/controller/state.ts';
import { initialState, rateNow, UNLIMITED } from '../src/controller/state.ts';
import { step } from '../src/controller/step.ts';
import { compare } from './simulation/compare.ts';
import { concurrencyCap, fixedWindow, type Limiter, tokenBucket } from './simulation/limiters.ts';
import { LIMITS, ourSender } from './simulation/senders.ts';
import { simulate } from './simulation/simulate.ts';

type Figures = [limiter: string, rate: number, used: number, refused: number, halved: number, doubled: number];
// What the reference controller reaches in its own simulation, in %.
const REFERENCE: Figures[] = [
  ['bucket, burst 0.2 s', 5, 98.7, 1.0, 99.26, 98.6],
  ['bucket, burst 0.2 s', 50, 98.87, 0.19, 99.35, 99.13],
  ['bucket, burst 0.2 s', 500, 93.1, 0.04, 99.16, 83.73],
  ['bucket, burst 1 s', 5, 99.75, 1.12, 100.11, 98.75],
  ['bucket, burst 1 s', 50, 99.77, 0.36, 100.13, 97.59],
  ['bucket, burst 1 s', 500, 99.06, 0.09, 99.44, 57.99],
  // Above 100 % the reference spends what the bucket had saved.
  ['bucket, burst 10 s', 5, 99.65, 1.19, 100.0, 100.0],
  ['bucket, burst 10 s', 50, 99.77, 0.43, 99.78, 92.21],
  ['bucket, burst 10 s', 500, 96.31, 0.06, 99.86, 75.1],
  // Above 100 %: two and a half requests a window are three.
  ['window 1 s', 5, 98.75, 1.18, 116.0, 97.6],
  ['window 1 s', 50, 97.29, 0.21, 98.99, 80.7],
  ['window 1 s', 500, 84.58, 0.05, 98.56, 58.68],
  ['window 60 s', 5, 100.0, 6.04, 70.8, 20.6],
  ['window 60 s', 50, 100.0, 3.67, 45.93, 55.36],
  ['window 60 s', 500, 100.0, 1.35, 82.04, 56.14],
];
// Ten seeds of either side scatter by as much.
const SCATTER = 0.8;

describe('against limiters that it does not know', () => {
  test.each(REFERENCE)(
    '%s, %i/s: uses as much as the reference, refused no more',
    (limiter, rate, used, refused, halved, doubled) => {
      const row = compare(limiter, rate, () => ourSender());
      expect(100 * row.steady.used).toBeGreaterThan(used - SCATTER);
      expect(100 * row.steady.refused).toBeLessThan(refused + 0.05);
      expect(100 * row.halved.used).toBeGreaterThan(halved - SCATTER);
      expect(100 * row.doubled[1]).toBeGreaterThan(doubled - SCATTER);
    },
  );

  test.each([
    [5, 97.5, 1.5],
    [50, 99, 0.3],
    [500, 99, 0.2],
  ])('as four workers that report late and send ahead, at %i/s', (rate, used, refused) => {
    const setting = { workers: 4, ahead: 0.15, latency: 0.15 };
    const row = compare('bucket, burst 0.2 s', rate, () => ourSender({}, 4, 0.1), setting);
    expect(100 * row.steady.used).toBeGreaterThan(used);
    expect(100 * row.steady.refused).toBeLessThan(refused);
  });

  test.each([
    ['bucket, burst 0.2 s', 50],
    ['bucket, burst 0.2 s', 500],
    ['window 60 s', 50],
  ])('%s, %i/s, where every refusal asks for a pause of whole seconds', (limiter, rate) => {
    const row = compare(limiter, rate, () => ourSender(), { retryAfter: true });
    expect(row.steady.used).toBeGreaterThan(0.95);
    expect(row.steady.refused).toBeLessThan(0.03);
  });

  test('a cap on concurrency is found as the rate it comes to', () => {
    const usages = [1, 2, 3].map((seed) => {
      const run = simulate({ limiter: concurrencyCap(10), sender: ourSender(), seed, seconds: 180 });
      return run.part(60, 180, 10 / 0.05);
    });
    for (const { used, refused } of usages) {
      // Ten on their way there, 50 ms each: some 200 a second at best, and fewer as the ways vary.
      expect(used).toBeGreaterThan(0.4);
      expect(refused).toBeLessThan(0.02);
    }
  });

  test('a halved limit is settled on within 30 s', () => {
    const run = simulate({
      limiter: tokenBucket(50, 10),
      sender: ourSender(),
      seed: 7,
      seconds: 180,
      changes: [[100, 25]],
    });
    expect(run.part(130, 180, 25).used).toBeGreaterThan(0.98);
    expect(run.part(130, 180, 25).refused).toBeLessThan(0.01);
  });
});

describe('with little to send', () => {
  const rates = (limiter: Limiter, demand: number) => {
    const sender = ourSender();
    simulate({ limiter, sender, seed: 3, seconds: 300, demand });
    return sender.state();
  };

  test('the rate does not grow on time in which it was not used', () => {
    expect(rateNow(rates(tokenBucket(50, 10), 1))).toBe(5);
  });

  test('it grows as far as demand goes and no further', () => {
    const rate = rateNow(rates(tokenBucket(500, 100), 20));
    expect(rate).toBeGreaterThanOrEqual(20);
    // Requests that had piled up used the next step for a while.
    expect(rate).toBeLessThan(60);
  });

  test('it does not collapse', () => {
    expect(rateNow(rates(tokenBucket(5, 2), 3))).toBeGreaterThanOrEqual(3);
    expect(rateNow(rates(fixedWindow(5, 60), 3))).toBeGreaterThanOrEqual(3);
  });
});

describe('within what the operator allows', () => {
  const run = (limits: Parameters<typeof ourSender>[0], limiter: Limiter) => {
    const sender = ourSender(limits);
    simulate({ limiter, sender, seed: 5, seconds: 120 });
    return sender.state();
  };

  test('no higher than the ceiling', () => {
    expect(run({ max: 20 }, tokenBucket(500, 100)).rate).toBe(20);
  });

  test('no lower than the floor', () => {
    expect(run({ min: 4 }, tokenBucket(1, 2)).rate).toBe(4);
  });

  test('a budget that is not adaptive stays at its start, and waits when it is refused', () => {
    const state = run({ adaptive: false, start: 10 }, tokenBucket(5, 2));
    expect(state.rate).toBe(10);
    const usage = simulate({
      limiter: tokenBucket(5, 2),
      sender: ourSender({ adaptive: false, start: 10 }),
      seed: 1,
      seconds: 60,
    });
    expect(usage.part(10, 60, 5).refused).toBeLessThan(0.3);
  });

  test('without a start it is unlimited', () => {
    expect(initialState({ ...LIMITS, start: null }, 0).rate).toBe(UNLIMITED);
  });

  test('a changed floor, ceiling or mode holds from the next step on', () => {
    const state = initialState(LIMITS, 0);
    const event = { at: 1000, good: 1, gapMs: 0, aheadMs: 0, limited: [] };
    expect(step(state, { ...LIMITS, max: 3 }, event).rate).toBe(3);
    expect(step(state, { ...LIMITS, min: 8 }, event).rate).toBe(8);
    expect(step(state, { ...LIMITS, start: 7, adaptive: false }, event)).toMatchObject({ rate: 7, phase: 'hold' });
  });
});

describe('one refusal', () => {
  const at = 1_000_000;
  const event = { at, good: 0, gapMs: 0, aheadMs: 0 };

  test('pauses for as long as Retry-After says', () => {
    const limited = [{ sentAt: at - 100, retryAfterMs: 3000 }];
    expect(step(initialState(LIMITS, at - 5000), LIMITS, { ...event, limited }).pausedUntil).toBe(at + 3000);
  });

  test('of a request sent before the cut changes nothing but the pause it asks for', () => {
    const state: ControllerState = { ...initialState(LIMITS, at), phase: 'hold', known: 5, cutAt: at };
    const stale = step(state, LIMITS, { ...event, limited: [{ sentAt: at - 1, retryAfterMs: 500 }] });
    expect(stale).toEqual({ ...state, pausedUntil: at + 500 });
  });

  test('answers the same on every worker, and leaves the state it was given as it was', () => {
    const refusal = fc.record({
      sentAt: fc.integer({ min: 0, max: 60_000 }),
      retryAfterMs: fc.constantFrom(0, 0, 0, 1000, 30_000),
    });
    const events = fc.array(
      fc.record({
        ms: fc.integer({ min: 0, max: 3000 }),
        good: fc.integer({ min: 0, max: 50 }),
        gap: fc.integer({ min: 0, max: 500 }),
        aheadMs: fc.constantFrom(0, 150),
        limited: fc.array(refusal, { maxLength: 4 }),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(events, (list) => {
        let state = initialState(LIMITS, 0);
        let [time, good, gapMs] = [0, 0, 0];
        for (const e of list) {
          time += e.ms;
          good += e.good;
          gapMs += Math.min(e.gap, e.ms);
          const limited = e.limited.map((r) => ({ ...r, sentAt: Math.min(r.sentAt, time) }));
          const before = JSON.stringify(state);
          const next = step(state, LIMITS, { at: time, good, gapMs, aheadMs: e.aheadMs, limited });
          expect(step(JSON.parse(before), LIMITS, { at: time, good, gapMs, aheadMs: e.aheadMs, limited })).toEqual(
            next,
          );
          expect(JSON.stringify(state)).toBe(before);
          expect(JSON.parse(JSON.stringify(next))).toEqual(next);
          expect(next.rate).toBeGreaterThanOrEqual(LIMITS.min);
          expect(next.rate).toBeLessThanOrEqual(LIMITS.max);
          state = next;
        }
      }),
    );
  });
});
