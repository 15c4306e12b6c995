import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findRedisServer } from '../src/find-redis-server.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pinegate-find-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function place(name: string, mode = 0o755): string {
  mkdirSync(join(dir, name));
  writeFileSync(join(dir, name, 'redis-server'), '');
  chmodSync(join(dir, name, 'redis-server'), mode);
  return join(dir, name);
}

it('takes the first executable on the path, before the one among the tools', () => {
  const second = place('second');
  expect(findRedisServer([join(dir, 'none'), second].join(delimiter), place('tools'))).toBe(
    join(second, 'redis-server'),
  );
});

it('falls back to the one among the tools, past a file that cannot be run', () => {
  const tools = place('tools');
  expect(findRedisServer(place('plain', 0o644), tools)).toBe(join(tools, 'redis-server'));
});

it('says how to get one where there is none', () => {
  expect(() => findRedisServer(dir, dir)).toThrow(
    expect.objectContaining({
      code: 'redis_server_missing',
      message: expect.stringContaining('apt-get install redis-server'),
    }),
  );
});
