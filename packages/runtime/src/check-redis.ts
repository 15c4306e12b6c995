import type { Redis } from 'ioredis';
import { RuntimeError } from './runtime-error.ts';

const OLDEST = [6, 2] as const;

/** A Redis that must not be used as it is; the message is a sentence saying what to change. */
export class PreflightError extends RuntimeError {
  override readonly name = 'PreflightError';
  declare readonly code: 'redis_too_old' | 'redis_evicts' | 'schema_newer';

  constructor(code: 'redis_too_old' | 'redis_evicts' | 'schema_newer', message: string) {
    super(code, message);
  }
}

/**
 * Refuses a Redis older than 6.2, and one that may evict keys: locks, limits and the ledger are not a cache. In a cluster
 * every master is checked. Throws PreflightError; an error of the connection passes as it is, and says nothing about the setup.
 */
export async function checkRedis(redis: Redis): Promise<void> {
  const nodes: Pick<Redis, 'info'>[] = redis.isCluster && 'nodes' in redis ? clusterMasters(redis) : [redis];
  for (const node of nodes) checkInfo(await node.info());
}

function clusterMasters(redis: Redis): Redis[] {
  return (redis as unknown as { nodes(role: 'master'): Redis[] }).nodes('master');
}

/** What checkRedis makes of the text of INFO. */
export function checkInfo(info: string): void {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const version = field('redis_version') ?? '0';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw new PreflightError('redis_too_old', `Redis is ${version}; 6.2 or later is needed: upgrade it.`);
  }
  const policy = field('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    throw new PreflightError(
      'redis_evicts',
      `Redis has maxmemory-policy ${policy} and would evict what must not be lost: set it to noeviction ` +
        '(redis-cli config set maxmemory-policy noeviction, and in redis.conf).',
    );
  }
}
