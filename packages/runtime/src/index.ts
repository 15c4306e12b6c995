export { checkRedis, PreflightError } from './check-redis.ts';
export { closeRedis } from './close-redis.ts';
export { ConfigError } from './config-error.ts';
export { findRedisServer } from './find-redis-server.ts';
export { freePort } from './free-port.ts';
export {
  createHealthServer,
  type HealthServer,
  type HealthServerOptions,
  type Probe,
  type ProbeResult,
} from './health-server.ts';
export { createHttpMetrics, type ObservedRequest } from './http-metrics.ts';
export { inSlices } from './in-slices.ts';
export { type Closer, createLifecycle, type Lifecycle } from './lifecycle.ts';
export { createLogger, LOG_LEVELS, type Logger, type LoggerOptions, type LogLevel } from './logger.ts';
export { createMemoryGuard, type MemoryGuard, memoryBytes } from './memory-guard.ts';
export {
  type CounterMetric,
  createMetrics,
  type GaugeMetric,
  type HistogramMetric,
  type Labels,
  type Metrics,
} from './metrics.ts';
export { onceATurn } from './once-a-turn.ts';
export { openRedis, type Redis, type RedisRole } from './open-redis.ts';
export { type Env, type ParseEnvOptions, parseEnv, secretFrom } from './parse-env.ts';
export { reportReady } from './processes/parent.ts';
export { isSupervisor, processCountSchema } from './processes/process-count.ts';
export { type SuperviseOptions, superviseProcesses } from './processes/supervise.ts';
export { readConfig } from './read-config.ts';
export { redisReady } from './redis-ready.ts';
export { RedisServerError, type RedisServerErrorCode } from './redis-server-error.ts';
export { refuseReplicasInCluster } from './refuse-replicas-in-cluster.ts';
export { retentionSchema } from './retention-schema.ts';
export { RuntimeError } from './runtime-error.ts';
export { ScriptError } from './script-error.ts';
export { createScripts, type ScriptArgument, type Scripts, type ScriptsOptions } from './scripts.ts';
export { secretKeySchema } from './secret-key-schema.ts';
export { type RedisServer, type RedisServerOptions, startRedisServer } from './start-redis-server.ts';
export { startRounds } from './start-rounds.ts';
export { stopListening } from './stop-listening.ts';
export { tellFailedStart } from './tell-failed-start.ts';
export {
  annotateSpan,
  isTracing,
  recordCall,
  type ServerSpan,
  startTracing,
  type TracingOptions,
  traceRequest,
} from './tracing.ts';
export { trustedProxiesSchema } from './trusted-proxies-schema.ts';
