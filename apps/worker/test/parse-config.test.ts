import type { ConfigError } from '@pinegate/runtime';
import { expect, test } from 'vitest';
import { parseConfig } from '../src/parse-config.ts';

const VALID = {
  REDIS_URL: 'redis://127.0.0.1:1',
  TRADINGVIEW_BASE_URL: 'https://127.0.0.1:2',
  PINEGATE_SECRET_KEY: 'q1Z3bX0zr5uTgKpXc8Wm2LhVn9sYdE4fJ7aRtUoIePw=',
};

test('reads the defaults of the protocol', () => {
  const { times, limits, inFlight } = parseConfig(VALID);
  expect(times).toMatchObject({ verifyDelayMs: 45_000, leaseMs: 20_000, freshMs: 86_400_000, maxTries: 5 });
  expect(limits).toMatchObject({ requestDeadlineMs: 6_000 });
  expect(inFlight).toBe(200);
});

test('reads a retention of part of a day in whole milliseconds', () => {
  expect(parseConfig({ ...VALID, RETENTION_DAYS: '0.000001' }).times.retentionMs).toBe(86);
});

test('names every mistake at once, and no value', () => {
  const given = { ...VALID, PINEGATE_SECRET_KEY: 'c2VjcmV0', MAX_TRIES: '0', TRADINGVIEW_BASE_URL: undefined };
  const mistakes = (() => {
    try {
      parseConfig(given);
    } catch (error) {
      return (error as ConfigError).message;
    }
    return '';
  })();
  for (const name of ['PINEGATE_SECRET_KEY', 'MAX_TRIES', 'TRADINGVIEW_BASE_URL']) expect(mistakes).toContain(name);
  expect(mistakes).not.toContain('c2VjcmV0');
});

test('refuses a lease that leaves no time for a look-up between two requests', () => {
  const withLease = (lease: string) => parseConfig({ ...VALID, CLAIM_LEASE_MS: lease, REQUEST_DEADLINE_MS: '6000' });
  expect(() => withLease('17999')).toThrow('CLAIM_LEASE_MS must be at least three times REQUEST_DEADLINE_MS');
  expect(withLease('18000').limits.leaseMs).toBe(18_000);
});

test('takes as many requests in flight as one process can use', () => {
  expect(parseConfig({ ...VALID, WORKER_IN_FLIGHT: '400' }).inFlight).toBe(400);
  expect(() => parseConfig({ ...VALID, WORKER_IN_FLIGHT: '1001' })).toThrow('WORKER_IN_FLIGHT');
});
