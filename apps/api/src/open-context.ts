import { createBudgetReader } from '@pinegate/budget';
import { openFlags } from '@pinegate/flags';
import { createEpochGuard, openDirectory, openEpochs, openLedger, openUsernameCache } from '@pinegate/ledger';
import { createBells, createTasks } from '@pinegate/queues';
import {
  closeRedis,
  createMemoryGuard,
  createMetrics,
  type Lifecycle,
  type Logger,
  openRedis,
} from '@pinegate/runtime';
import type { ApiContext } from './api-context.ts';
import { buildApiMetrics } from './api-metrics.ts';
import { createReadingPool } from './batches/reading-pool.ts';
import { countIdempotency } from './count-idempotency.ts';
import { buildEpochEvents } from './epoch-events.ts';
import type { ApiConfig } from './parse-config.ts';
import { buildRing } from './ring-bells.ts';
import { buildSessionChecks } from './session-checks.ts';
import { buildSettledEvents } from './settled-events.ts';
import { buildUsernameChecks } from './username-checks.ts';

const NAMESPACE = 'pinegate';
// BullMQ adds them in one pipeline.
const LOOK_UPS_AT_ONCE = 500;

/** Opens what the routes work with; each opening registers its closing. Waits for nothing: Redis may come later. */
export function openContext(config: ApiConfig, log: Logger, { onClose }: Lifecycle): ApiContext {
  const ns = NAMESPACE;
  const redis = openRedis(config.redisUrl, 'producer', log);
  onClose('redis', () => closeRedis(redis));
  const events = openRedis(config.redisUrl, 'blocking', log);
  onClose('redis of events', () => closeRedis(events));
  const cache = config.cacheRedisUrl === config.redisUrl ? redis : openRedis(config.cacheRedisUrl, 'producer', log);
  onClose('redis of the cache', () => closeRedis(cache));

  const guard = createMemoryGuard(redis, log);
  onClose('memory guard', () => guard.close());
  const cacheGuard = cache === redis ? guard : createMemoryGuard(cache, log);
  onClose('memory guard of the cache', () => cacheGuard.close());
  // Apart: bullmq defines some sixty scripts on its client, and ioredis copies all of them into each pipeline, one a tick.
  const queues = openRedis(config.redisUrl, 'producer', log);
  onClose('redis of queues', () => closeRedis(queues));
  const bells = createBells({ redis: queues, ns });
  onClose('bells', () => bells.close());
  const tasks = createTasks({ redis: queues, ns });
  onClose('tasks', () => tasks.close());
  const { secretKey, previousSecretKey, adminKey, retentionMs } = config;
  const directory = openDirectory({
    redis,
    ns,
    secretKey,
    retentionMs,
    ...(previousSecretKey === null ? {} : { previousSecretKey }),
    ...(adminKey === null ? {} : { adminKey }),
  });
  onClose('directory', () => directory.close());

  const flags = openFlags({ redis, ns });
  onClose('flags', () => flags.close());
  const metrics = createMetrics('api');
  const counters = buildApiMetrics(metrics);
  const epochs = openEpochs({ redis, ns });
  const epoch = createEpochGuard({ epochs, accounts: directory.accounts, events: buildEpochEvents(metrics, log) });
  const names = openUsernameCache({
    redis: cache,
    ns,
    shouldStore: () => !cacheGuard.isCrowded(),
    onResult: (result) => counters.cache.inc({ result }),
  });
  onClose('usernames', () => names.close());
  const reading = config.uploadThreads === 0 ? null : createReadingPool(config.uploadThreads);
  onClose('threads of uploads', async () => reading?.close());
  async function lookUp(usernames: readonly string[]): Promise<void> {
    for (let at = 0; at < usernames.length; at += LOOK_UPS_AT_ONCE) {
      const asked = usernames.slice(at, at + LOOK_UPS_AT_ONCE);
      await tasks.put(
        'look-up',
        asked.map((username) => ({ username })),
      );
    }
  }
  return {
    log,
    ns,
    reading,
    trustedProxies: config.trustedProxies,
    metrics,
    counters,
    directory: { ...directory, idempotency: countIdempotency(directory.idempotency, counters) },
    ledger: openLedger({
      redis,
      ns,
      times: config.times,
      epoch,
      ...openReplication(config, log, onClose),
    }),
    epoch,
    epochs,
    settled: buildSettledEvents(events),
    usernames: buildUsernameChecks(names, lookUp),
    sessions: buildSessionChecks(directory.accounts, (account) => tasks.put('check-session', [{ account }])),
    askRefresh: (account, refresh) => tasks.put('refresh', [{ account, refresh }]),
    flags,
    budgets: createBudgetReader({ redis, ns }),
    ring: buildRing(bells, counters, log),
    ping: async () => {
      await redis.ping();
    },
    isFull: guard.isFull,
    now: Date.now,
    redis,
  };
}

/** Nothing but calls that wait for replicas goes over this connection. */
function openReplication(config: ApiConfig, log: Logger, onClose: Lifecycle['onClose']) {
  if (config.acceptReplicas === 0) return {};
  const redis = openRedis(config.redisUrl, 'producer', log);
  onClose('redis of replicated writes', () => closeRedis(redis));
  return { replication: { redis, count: config.acceptReplicas } };
}
