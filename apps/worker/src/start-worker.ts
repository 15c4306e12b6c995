import { readFileSync } from 'node:fs';
import { createBudgetReader } from '@pinegate/budget';
import { openFlags } from '@pinegate/flags';
import {
  checkSchema,
  createEpochGuard,
  openDirectory,
  openEpochs,
  openLedger,
  openUsernameCache,
  watchDirectory,
} from '@pinegate/ledger';
import { type ConsumerTimes, createBells, createTaskConsumer, createTasks } from '@pinegate/queues';
import {
  checkRedis,
  closeRedis,
  createHealthServer,
  createHttpMetrics,
  createMemoryGuard,
  createMetrics,
  type Lifecycle,
  type Logger,
  memoryBytes,
  openRedis,
  type ProbeResult,
  redisReady,
} from '@pinegate/runtime';
import { createTradingView, STREAMS_PER_CONNECTION } from '@pinegate/tradingview';
import { createAccountGauges } from './account-gauges.ts';
import { buildSweeper } from './build-sweeper.ts';
import { buildUpkeep } from './build-upkeep.ts';
import { checkAccount } from './check-account.ts';
import { CHUNK_KEYS } from './create-chunk-gate.ts';
import { createDueMarks } from './create-due-marks.ts';
import { createLeader } from './create-leader.ts';
import { createPoolGauge } from './create-pool-gauge.ts';
import { createWorkerMetrics } from './create-worker-metrics.ts';
import { followDirectory } from './follow-directory.ts';
import { followHttp2 } from './follow-http2.ts';
import { createInFlight } from './in-flight.ts';
import type { WorkerConfig } from './parse-config.ts';
import type { WorkerParts } from './serve-account.ts';
import { buildSessionPatrol } from './session-patrol.ts';
import { buildTaskHandlers } from './task-handlers.ts';
import { watchEpoch } from './watch-epoch.ts';
import { watchProgress } from './watch-progress.ts';

const SINGLE_CHUNKS = 4;
const LEAST_BULK_CHUNKS = 16;
/** A bulk chunk waits for Redis five times, and others must have requests in flight meanwhile: so many as fill the room, and half as many again. */
const BULK_CHUNKS_OF_ROOM = 1.5;
const TASKS_AT_ONCE = 20;

/** Starts everything a worker is, each closer beside its opener; `consumerTimes`: shorter ones for tests. Resolves to the port of its health server. */
export async function startWorker(
  config: WorkerConfig & { readonly consumerTimes?: ConsumerTimes },
  ns: string,
  lifecycle: Lifecycle,
  log: Logger,
): Promise<number> {
  const monotonic = () => performance.now();
  const metrics = createMetrics('worker');
  const { events, laneEvents, taskEvents } = createWorkerMetrics(metrics, log);

  const redis = openRedis(config.redisUrl, 'shared', log);
  lifecycle.onClose('redis', () => closeRedis(redis));
  const cacheRedis = config.cacheRedisUrl === config.redisUrl ? redis : openRedis(config.cacheRedisUrl, 'shared', log);
  if (cacheRedis !== redis) lifecycle.onClose('cache redis', () => closeRedis(cacheRedis));
  let accountsReady = false;
  let live: () => ProbeResult = () => ({ ok: true });
  const health = await createHealthServer({
    host: config.host,
    port: config.port,
    ready: () => (accountsReady && redis.status === 'ready' ? { ok: true } : { ok: false, reason: 'not ready' }),
    live: () => live(),
    metrics,
    onRequest: createHttpMetrics(metrics),
    log,
  });
  lifecycle.onClose('health', () => health.close());
  await redisReady(redis, lifecycle.closing);
  await checkRedis(redis);
  await checkSchema(redis, ns);

  const { baseUrl, caFile } = config.upstream;
  const flags = openFlags({ redis, ns });
  lifecycle.onClose('flags', () => flags.close());
  await flags.read();
  const isTls = new URL(baseUrl).protocol === 'https:';
  const openUpstream = (http2: boolean) =>
    createTradingView({
      baseUrl,
      http2,
      // As many as the requests in flight fill: one that waits inside the client wastes its deadline and its claim.
      connections: http2 && isTls ? Math.ceil(config.inFlight / STREAMS_PER_CONNECTION) : config.inFlight,
      deadlineMs: config.limits.requestDeadlineMs,
      onRequest: events.request,
      ...(caFile === null ? {} : { ca: readFileSync(caFile, 'utf8') }),
    });
  const upstream = followHttp2(openUpstream, flags);
  lifecycle.onClose('upstream', () => upstream.destroy());
  createPoolGauge(metrics, upstream);

  const { secretKey, previousSecretKey, times } = config;
  const directory = openDirectory({
    redis,
    ns,
    secretKey,
    retentionMs: times.retentionMs,
    ...(previousSecretKey ? { previousSecretKey } : {}),
  });
  const epochs = openEpochs({ redis, ns });
  const epoch = createEpochGuard({ epochs, accounts: directory.accounts, events });
  await epoch.look();
  const watch = watchEpoch(epoch);
  lifecycle.onClose('epoch', () => watch.stop());
  const ledger = openLedger({ redis, ns, times, epoch, ...openReplication(config, log, lifecycle) });
  const cacheGuard = createMemoryGuard(cacheRedis, log);
  lifecycle.onClose('memory guard of the cache', () => cacheGuard.close());
  const usernames = openUsernameCache({
    redis: cacheRedis,
    ns,
    shouldStore: () => !cacheGuard.isCrowded(),
    onResult: events.cacheAsked,
  });
  lifecycle.onClose('usernames', () => usernames.close());
  const bells = createBells({ redis, ns });
  lifecycle.onClose('bells', () => bells.close());
  const parts: WorkerParts = {
    ns,
    worker: crypto.randomUUID(),
    redis,
    directory,
    ledger,
    epoch,
    usernames,
    upstream,
    flags,
    inFlight: createInFlight(config.inFlight),
    dueMarks: createDueMarks(directory.due, monotonic),
    events,
    laneEvents,
    limits: config.limits,
    chunksPerLane: { single: SINGLE_CHUNKS, bulk: bulkChunks(config.inFlight) },
    ...(config.consumerTimes ? { consumerTimes: config.consumerTimes } : {}),
    log,
  };
  const tasks = createTasks({ redis, ns });
  lifecycle.onClose('task queues', () => tasks.close());
  const sweep = buildSweeper({ directory, ledger, epoch, bells, events, monotonic });
  const upkeep = buildUpkeep({ directory, ledger, tasks, monotonic });
  const patrol = buildSessionPatrol({
    accounts: directory.accounts.list,
    now: () => directory.now(),
    ask: (account) => tasks.put('check-session', [{ account }]),
    events,
    monotonic,
  });
  const leader = createLeader({ redis, ns, log, tick: () => sweep().then(upkeep).then(patrol) });
  lifecycle.onClose('leader', () => leader.stop());
  const sources = { directory, ledger, budgets: createBudgetReader({ redis, ns }), isLeading: leader.isLeading };
  const readMemory = async () => memoryBytes(await redis.info('memory'));
  createAccountGauges(metrics, { ...sources, readMemory, now: Date.now }, log);

  const accounts = followDirectory(parts, directory, log);
  lifecycle.onClose('accounts', (deadline) => accounts.stop(deadline));
  const listener = openRedis(config.redisUrl, 'blocking', log);
  lifecycle.onClose('redis of news', () => closeRedis(listener));
  watchDirectory({ redis: listener, ns, onNews: accounts.hear });
  const consumer = createTaskConsumer({
    redis,
    ns,
    concurrency: TASKS_AT_ONCE,
    handlers: buildTaskHandlers({
      accounts,
      checkAccount: (id) => checkAccount(parts, accounts, id),
      usernames,
      upstream,
    }),
    events: taskEvents,
  });
  lifecycle.onClose('tasks', (deadline) => consumer.stop(deadline));
  const progress = watchProgress({
    lanes: () => accounts.active().flatMap((a) => a.lanes()),
    bells,
    waitingChunks: async (account) => (await ledger.account(account).summary()).waitingChunks,
    monotonic,
  });
  live = progress.probe;
  const looks = progress.start();
  lifecycle.onClose('progress', () => looks.stop());
  await accounts.follow();
  accountsReady = true;
  return health.port;
}

/** Nothing but calls that wait for replicas goes over this connection. */
function openReplication(config: WorkerConfig, log: Logger, lifecycle: Lifecycle) {
  if (config.acceptReplicas === 0) return {};
  const redis = openRedis(config.redisUrl, 'shared', log);
  lifecycle.onClose('redis of replicated writes', () => closeRedis(redis));
  return { replication: { redis, count: config.acceptReplicas } };
}

function bulkChunks(inFlight: number): number {
  return Math.max(LEAST_BULK_CHUNKS, Math.ceil((BULK_CHUNKS_OF_ROOM * inFlight) / CHUNK_KEYS));
}
