import { ConfigError } from '@pinegate/runtime';
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

test('refuses a lease that leaves no time for a request', () => {
  expect(() => parseConfig({ ...VALID, CLAIM_LEASE_MS: '6000', REQUEST_DEADLINE_MS: '6000' })).toThrow(ConfigError);
});

test('refuses more requests in flight than its connections carry, which over HTTP/1.1 are as many as they must be', () => {
  const many = { ...VALID, WORKER_IN_FLIGHT: '201' };
  expect(() => parseConfig(many)).toThrow('WORKER_IN_FLIGHT must be at most 200');
  expect(parseConfig({ ...many, TRADINGVIEW_BASE_URL: 'http://127.0.0.1:2' }).inFlight).toBe(201);
});
