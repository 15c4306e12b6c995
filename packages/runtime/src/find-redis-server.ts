import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RedisServerError } from './redis-server-error.ts';

// scripts/bootstrap.mjs unpacks a redis-server here where it cannot install one.
const TOOLS = fileURLToPath(new URL('../../../.tools/redis/bin', import.meta.url));

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * The path of a redis-server: the first one on `path` (as in PATH), else the one in the repository's `.tools/redis/bin`.
 * Throws RedisServerError `redis_server_missing`.
 */
export function findRedisServer(path: string, toolsDir: string = TOOLS): string {
  const found = [...path.split(delimiter).filter((dir) => dir !== ''), toolsDir]
    .map((dir) => join(dir, 'redis-server'))
    .find(isExecutable);
  if (found !== undefined) return found;
  throw new RedisServerError(
    'redis_server_missing',
    'redis-server was not found: install it (Debian: apt-get install redis-server; macOS: brew install redis), ' +
      'or set REDIS_URL to a Redis of version 6.2 or later.',
  );
}
