import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Cluster, type CommonRedisOptions, Redis, type RedisOptions } from 'ioredis';
import { ConfigError } from './config-error.ts';
import { gatherWrites } from './gather-writes.ts';
import { logOutages } from './log-outages.ts';
import type { Logger } from './logger.ts';
import { parseRedisUrl, type RedisAddress } from './redis-url.ts';

export type { Redis };

/**
 * `producer` fails fast: an HTTP request is waiting. `shared` waits for Redis as long as it takes: the one client of a
 * worker for all that does not block. `blocking` likewise, for commands that block.
 */
export type RedisRole = 'producer' | 'shared' | 'blocking';

// BullMQ blocks for drainDelay (60 s) at most; a silence longer than that means a dead connection.
const BLOCKING_SILENCE_MS = 75_000;

const ROLES: Readonly<Record<RedisRole, Partial<RedisOptions>>> = {
  producer: {
    // Just these behave in all outages (down at start, up later, killed, frozen); docs/decisions.md has the others' faults.
    enableOfflineQueue: false,
    commandTimeout: 900,
    maxRetriesPerRequest: 0,
    // What was in flight has been answered as failed: running it after all would surprise the one who was told so.
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: true,
    connectTimeout: 2_000,
    socketTimeout: 5_000,
  },
  // No automatic pipelining: beside a bullmq Worker on the same client it never comes out of its microtasks (docs/decisions.md).
  shared: { maxRetriesPerRequest: null, connectTimeout: 5_000, socketTimeout: 15_000 },
  blocking: { maxRetriesPerRequest: null, connectTimeout: 5_000, socketTimeout: BLOCKING_SILENCE_MS },
};

/** Milliseconds until the next try to connect: doubling from 50 to 2,000, with jitter, for ever. */
function reconnectDelay(times: number): number {
  const delay = Math.min(2_000, 50 * 2 ** Math.min(times - 1, 6));
  return Math.round(delay * (0.75 + Math.random() / 2));
}

/**
 * Opens a client for `redis://`, `rediss://`, `redis+cluster://` or `redis+sentinel://`. It connects in the background,
 * reconnects by itself for ever and never emits an unhandled error; the caller closes it with closeRedis. A cluster client
 * has the same commands and is typed as Redis too. A duplicate of a shared client is a blocking one, as BullMQ needs.
 * Throws ConfigError for an address that cannot be parsed.
 */
export function openRedis(url: string, role: RedisRole, log?: Logger): Redis {
  const address = parseRedisUrl(url);
  const client = address.kind === 'cluster' ? openCluster(address, role) : openSingle(address, role);
  logOutages(client, role, log);
  if (role === 'shared') duplicateAsBlocking(client, log);
  return client;
}

function connectionOptions(address: RedisAddress, role: RedisRole): Partial<CommonRedisOptions> & RedisOptions {
  return {
    ...ROLES[role],
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.tls ? { tls: tlsOptions(address) } : {}),
    keepAlive: 10_000,
    // A replica that was a master a moment ago answers READONLY: connecting anew finds the new master.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? (role === 'producer' ? 1 : 2) : false),
  };
}

function tlsOptions({ caFile, certFile, keyFile }: RedisAddress): ConnectionOptions {
  const read = (name: 'ca' | 'cert' | 'key', file: string | undefined) => {
    if (file === undefined) return {};
    try {
      return { [name]: readFileSync(file) };
    } catch (cause) {
      throw new ConfigError([`${name}File of a Redis address names a file that cannot be read: ${file}`], cause);
    }
  };
  return { ...read('ca', caFile), ...read('cert', certFile), ...read('key', keyFile) };
}

function openSingle(address: RedisAddress, role: RedisRole): Redis {
  const options = { ...connectionOptions(address, role), db: address.db, retryStrategy: reconnectDelay };
  if (address.kind === 'sentinel' && address.master !== undefined) {
    return gathering({
      ...options,
      sentinels: [...address.hosts],
      name: address.master,
      failoverDetector: true,
      sentinelCommandTimeout: 2_000,
      sentinelRetryStrategy: reconnectDelay,
      enableTLSForSentinelMode: address.tls,
      ...(address.tls ? { sentinelTLS: tlsOptions(address) } : {}),
      ...(address.sentinelPassword === undefined ? {} : { sentinelPassword: address.sentinelPassword }),
    });
  }
  const [first] = address.hosts;
  return gathering({ ...options, host: first?.host ?? '127.0.0.1', port: first?.port ?? 6379 });
}

function gathering(options: RedisOptions): Redis {
  const client = new Redis(options);
  client.on('connect', () => gatherWrites(client.stream));
  return client;
}

function openCluster(address: RedisAddress, role: RedisRole): Redis {
  const { enableOfflineQueue = true, enableAutoPipelining = false, ...redisOptions } = connectionOptions(address, role);
  const cluster = new Cluster([...address.hosts], {
    enableOfflineQueue,
    enableAutoPipelining,
    clusterRetryStrategy: reconnectDelay,
    slotsRefreshTimeout: 2_000,
    slotsRefreshInterval: 5_000,
    // With TLS, names are needed to check certificates against; without it this changes nothing.
    ...(address.tls ? { dnsLookup: (host, done) => done(null, host) } : {}),
    redisOptions,
  });
  cluster.on('+node', (node: Redis) => node.on('connect', () => gatherWrites(node.stream)));
  // One type for callers: they use commands only, which both classes share.
  return cluster as unknown as Redis;
}

function duplicateAsBlocking(client: Redis, log: Logger | undefined): void {
  const duplicate = client.duplicate.bind(client);
  const blocking = { ...ROLES.blocking, enableAutoPipelining: false };
  client.duplicate = (override) => {
    const copy = duplicate({ ...blocking, ...override });
    logOutages(copy, 'blocking', log);
    return copy;
  };
}
