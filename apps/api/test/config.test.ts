import { ConfigError } from '@pinegate/runtime';
import { expect, test } from 'vitest';
import { parseConfig } from '../src/parse-config.ts';

const SECRET = 'q1Z3bX0zr5uTgKpXc8Wm2LhVn9sYdE4fJ7aRtUoIePw=';

function mistakes(env: Record<string, string>): readonly string[] {
  try {
    parseConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
}

test('defaults are those of the documentation', () => {
  const config = parseConfig({ PINEGATE_SECRET_KEY: SECRET });
  expect(config).toMatchObject({
    host: '127.0.0.1',
    port: 5_000,
    redisUrl: 'redis://127.0.0.1:6379',
    cacheRedisUrl: 'redis://127.0.0.1:6379',
    adminKey: null,
    logLevel: 'info',
    retentionMs: 7 * 86_400_000,
    times: { verifyDelayMs: 45_000, leaseMs: 20_000, freshMs: 86_400_000, maxTries: 5 },
  });
  expect(config.secretKey).toHaveLength(32);
  expect(Object.isFrozen(config)).toBe(true);
});

test('retention may be part of a day, in whole milliseconds, and not nothing', () => {
  const retentionMs = (days: string) => parseConfig({ PINEGATE_SECRET_KEY: SECRET, RETENTION_DAYS: days }).retentionMs;
  expect(retentionMs('0.5')).toBe(43_200_000);
  expect(retentionMs('0.000001')).toBe(86);
  for (const days of ['0', '-1', '3651', 'a week', '1e9']) {
    expect(mistakes({ PINEGATE_SECRET_KEY: SECRET, RETENTION_DAYS: days })).toHaveLength(1);
  }
});

test('all mistakes are told at once, none with its value', () => {
  const told = mistakes({
    PINEGATE_SECRET_KEY: 'c2hvcnQtc2VjcmV0',
    PINEGATE_ADMIN_KEY: 'short-admin',
    API_PORT: 'eighty',
    LOG_LEVEL: 'loud',
    MAX_TRIES: '0',
  });
  expect(told).toHaveLength(5);
  expect(told.join(' ')).not.toMatch(/c2hvcnQ|short-admin|eighty|loud/);
});

test.each([
  ['missing', {}],
  ['no base64', { PINEGATE_SECRET_KEY: '!'.repeat(44) }],
  ['of 31 bytes', { PINEGATE_SECRET_KEY: Buffer.alloc(31, 'abcdefghijklmnop').toString('base64') }],
  ['of equal bytes', { PINEGATE_SECRET_KEY: Buffer.alloc(32).toString('base64') }],
  ['repeated', { PINEGATE_SECRET_KEY: Buffer.alloc(32, 'secret').toString('base64') }],
])('a secret key that is %s is refused with a sentence', (_what, env) => {
  const told = mistakes(env as Record<string, string>);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/^PINEGATE_SECRET_KEY.*\.$/);
});
