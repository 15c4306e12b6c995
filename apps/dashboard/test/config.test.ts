import { ConfigError } from '@pinegate/runtime';
import { expect, test } from 'vitest';
import { parseConfig } from '../src/parse-config.ts';

const SECRET = 'q1Z3bX0zr5uTgKpXc8Wm2LhVn9sYdE4fJ7aRtUoIePw=';

test('defaults are those of the documentation', () => {
  const config = parseConfig({ PINEGATE_SECRET_KEY: SECRET });
  expect(config).toMatchObject({ host: '127.0.0.1', port: 5_001, adminKey: null, logLevel: 'info' });
  expect(config.secretKey).toHaveLength(32);
});

test('all mistakes are told at once, and no secret with them', () => {
  const env = { PINEGATE_SECRET_KEY: 'too-short', PINEGATE_ADMIN_KEY: 'tiny', DASHBOARD_PORT: 'x', API_URL: 'ftp://a' };
  let message = '';
  try {
    parseConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    ({ message } = error);
  }
  for (const name of Object.keys(env)) expect(message).toContain(name);
  expect(message).not.toContain('too-short');
  expect(message).not.toContain('tiny');
});
