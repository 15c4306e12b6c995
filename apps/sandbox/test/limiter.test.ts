import { describe, expect, it } from 'vitest';
import { buildLimiter } from '../src/limiter.ts';
import { buildLimits } from '../src/limits.ts';
import { type Limit, optionsSchema } from '../src/options.ts';

function passedOf(limit: Limit, times: readonly number[]): boolean[] {
  const limiter = buildLimiter();
  return times.map((at) => {
    const { passed } = limiter.take(limit, at);
    if (passed) limiter.release();
    return passed;
  });
}

describe('a limiter', () => {
  it('lets a burst through a token bucket and then the rate', () => {
    const limit = { bucket: { rate: 2, burst: 3 } };
    expect(passedOf(limit, [0, 0, 0, 0, 499, 500, 500, 1000])).toEqual([
      true,
      true,
      true,
      false,
      false,
      true,
      false,
      true,
    ]);
  });

  it('never holds more tokens than the burst, however long it was idle', () => {
    expect(passedOf({ bucket: { rate: 100, burst: 2 } }, [0, 60_000, 60_000, 60_000])).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it('lets exactly the rate through over a long time', () => {
    const times = Array.from({ length: 100_000 }, (_, at) => at);
    expect(passedOf({ bucket: { rate: 50, burst: 1 } }, times).filter(Boolean)).toHaveLength(5000);
  });

  it('counts a fixed window of a second from the full second', () => {
    expect(passedOf({ perSecond: 2 }, [900, 950, 999, 1000, 1001, 1999])).toEqual([
      true,
      true,
      false,
      true,
      true,
      false,
    ]);
  });

  it('counts a fixed window of a minute from the full minute', () => {
    expect(passedOf({ perMinute: 1 }, [1000, 59_999, 60_000, 61_000])).toEqual([true, false, true, false]);
  });

  it('says when to come again, as far as a rate decides it', () => {
    const limiter = buildLimiter();
    limiter.take({ bucket: { rate: 4, burst: 1 } }, 0);
    expect(limiter.take({ bucket: { rate: 4, burst: 1 } }, 0)).toEqual({ passed: false, retryAfterMs: 250 });
    expect(limiter.take({ concurrency: 1 }, 0)).toEqual({ passed: false, retryAfterMs: null });
    limiter.release();
    limiter.take({ perMinute: 1 }, 30_000);
    expect(limiter.take({ perMinute: 1 }, 30_000)).toEqual({ passed: false, retryAfterMs: 30_000 });
  });

  it('caps what is in flight and frees a place with each release', () => {
    const limiter = buildLimiter();
    const take = () => limiter.take({ concurrency: 2 }, 0).passed;
    expect([take(), take(), take()]).toEqual([true, true, false]);
    limiter.release();
    expect([take(), take()]).toEqual([true, false]);
  });

  it('spends nothing on a request it refuses', () => {
    const limiter = buildLimiter();
    const both: Limit = { perSecond: 1, bucket: { rate: 1, burst: 2 } };
    expect(limiter.take(both, 0).passed).toBe(true);
    expect(limiter.take(both, 0).passed).toBe(false);
    expect(limiter.take({ bucket: { rate: 1, burst: 2 } }, 0).passed).toBe(true);
  });

  it('takes a new rate from the moment it is given', () => {
    const limiter = buildLimiter();
    limiter.take({ bucket: { rate: 1, burst: 1 } }, 0);
    expect(limiter.take({ bucket: { rate: 10, burst: 1 } }, 100).passed).toBe(true);
    expect(limiter.take({ bucket: { rate: 1, burst: 1 } }, 200).passed).toBe(false);
  });
});

describe('the limits', () => {
  const take = (unit: 'account' | 'endpoint' | 'address') => {
    const limits = buildLimits();
    const options = optionsSchema.parse({ limitUnit: unit, limit: { perMinute: 1 } });
    return (account: string, endpoint: 'add' | 'remove') => limits.take(options, account, endpoint, 0).verdict.passed;
  };

  it('are counted by account, over all its endpoints', () => {
    const byAccount = take('account');
    expect([byAccount('a', 'add'), byAccount('a', 'remove'), byAccount('b', 'add')]).toEqual([true, false, true]);
  });

  it('are counted by endpoint of an account', () => {
    const byEndpoint = take('endpoint');
    expect([byEndpoint('a', 'add'), byEndpoint('a', 'remove'), byEndpoint('a', 'add')]).toEqual([true, true, false]);
  });

  it('are counted for everybody together', () => {
    const byAddress = take('address');
    expect([byAddress('a', 'add'), byAddress('b', 'remove')]).toEqual([true, false]);
  });

  it('prefer the account to the endpoint and the endpoint to the general one', () => {
    const limits = buildLimits();
    const options = optionsSchema.parse({
      limit: { perMinute: 1 },
      limitUnit: 'endpoint',
      limitByEndpoint: { add: { perMinute: 2 } },
      limitByAccount: { free: null },
    });
    const passed = (account: string, endpoint: 'add' | 'remove') =>
      [1, 2, 3].map(() => limits.take(options, account, endpoint, 0).verdict.passed);
    expect(passed('a', 'remove')).toEqual([true, false, false]);
    expect(passed('a', 'add')).toEqual([true, true, false]);
    expect(passed('free', 'remove')).toEqual([true, true, true]);
  });

  it('refuse everything of one account during a storm', () => {
    const limits = buildLimits();
    const options = optionsSchema.parse({});
    limits.storm('a', 1000);
    expect(limits.take(options, 'a', 'add', 400).verdict).toEqual({ passed: false, retryAfterMs: 600 });
    expect(limits.take(options, 'b', 'add', 400).verdict.passed).toBe(true);
    expect(limits.take(options, 'a', 'add', 1000).verdict.passed).toBe(true);
  });
});
