import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError, parseEnv, secretFrom } from '../src/index.ts';

const schema = z.object({
  API_PORT: z.coerce.number().int().min(0).max(65_535).default(5000),
  ADAPTIVE: z.stringbool().default(true),
  SECRET: z.string().min(16),
});

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pinegate-env-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function mistakes(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
}

it('reads typed values, takes empty as absent, drops what it does not know and freezes the result', () => {
  const env = { API_PORT: '', ADAPTIVE: 'false', SECRET: 'x'.repeat(16), OTHER: '1' };
  const config = parseEnv(schema, env);
  expect(config).toEqual({ API_PORT: 5000, ADAPTIVE: false, SECRET: 'x'.repeat(16) });
  expect(Object.isFrozen(config)).toBe(true);
});

it('reports all mistakes at once, each with its variable and none with its value', () => {
  const found = mistakes(() => parseEnv(schema, { API_PORT: '70000', ADAPTIVE: 'perhaps', SECRET: 'short-secret' }));
  expect(found.map((mistake) => mistake.split(/[ :]/)[0])).toEqual(['API_PORT', 'ADAPTIVE', 'SECRET']);
  expect(found.join()).not.toContain('short-secret');
});

it('says that a missing variable is not set', () => {
  expect(mistakes(() => parseEnv(schema, {}))).toEqual(['SECRET is not set.']);
});

it('reads a secret from the file named by NAME_FILE', () => {
  writeFileSync(join(dir, 'secret'), 'from-a-file-0123456789\n');
  const env = { SECRET_FILE: join(dir, 'secret') };
  expect(parseEnv(schema, env, { secrets: ['SECRET'] }).SECRET).toBe('from-a-file-0123456789');
  expect(secretFrom(env, 'SECRET')).toBe('from-a-file-0123456789');
  expect(secretFrom({}, 'SECRET')).toBeUndefined();
});

it.each([
  ['both forms', { SECRET: 'x'.repeat(16), SECRET_FILE: '/f' }, 'both set'],
  ['a missing file', { SECRET_FILE: '/no/such/file' }, 'ENOENT'],
])('reports %s of a secret beside the other mistakes', (_what, env, words) => {
  const found = mistakes(() => parseEnv(schema, { ...env, API_PORT: 'x' }, { secrets: ['SECRET'] }));
  expect(found).toHaveLength(2);
  expect(found[0]).toContain(words);
});

it('refuses an empty secret file', () => {
  writeFileSync(join(dir, 'secret'), '\n');
  expect(mistakes(() => secretFrom({ SECRET_FILE: join(dir, 'secret') }, 'SECRET'))[0]).toContain('empty file');
});
