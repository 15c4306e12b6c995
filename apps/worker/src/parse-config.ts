import {
  ConfigError,
  type Env,
  LOG_LEVELS,
  parseEnv,
  processCountSchema,
  refuseReplicasInCluster,
  retentionSchema,
  secretKeySchema,
} from '@pinegate/runtime';
import { z } from 'zod';

/** More is of no use to one process: whoever needs it runs more workers. */
const MOST_IN_FLIGHT = 1_000;

const ms = (byDefault: number, min = 1) => z.coerce.number().int().min(min).default(byDefault);

const SCHEMA = z.object({
  REDIS_URL: z.string(),
  CACHE_REDIS_URL: z.string().optional(),
  TRADINGVIEW_BASE_URL: z.url({ protocol: /^https?$/ }),
  TRADINGVIEW_CA_FILE: z.string().optional(),
  PINEGATE_SECRET_KEY: secretKeySchema,
  PINEGATE_SECRET_KEY_PREVIOUS: secretKeySchema.optional(),
  WORKER_HOST: z.string().default('127.0.0.1'),
  WORKER_PORT: z.coerce.number().int().min(0).max(65_535).default(5002),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  VERIFY_DELAY_MS: ms(45_000),
  REQUEST_DEADLINE_MS: ms(6_000),
  CLAIM_LEASE_MS: ms(20_000),
  ACCEPT_REPLICAS: z.coerce.number().int().min(0).max(10).default(0),
  MAX_TRIES: z.coerce.number().int().min(1).max(100).default(5),
  FRESH_HOURS: z.coerce.number().min(0).default(24),
  WORKER_IN_FLIGHT: z.coerce.number().int().min(1).max(MOST_IN_FLIGHT).default(200),
  PROCESSES: processCountSchema,
  RETENTION_DAYS: retentionSchema,
});

const HOUR_MS = 3_600_000;

/** The worker's configuration, from its environment. Throws ConfigError with all mistakes at once. */
export function parseConfig(env: Env) {
  const e = parseEnv(SCHEMA, env, {
    secrets: ['REDIS_URL', 'CACHE_REDIS_URL', 'PINEGATE_SECRET_KEY', 'PINEGATE_SECRET_KEY_PREVIOUS'],
  });
  refuseReplicasInCluster(e.REDIS_URL, e.ACCEPT_REPLICAS);
  if (e.CLAIM_LEASE_MS < 3 * e.REQUEST_DEADLINE_MS) {
    throw new ConfigError([
      'CLAIM_LEASE_MS must be at least three times REQUEST_DEADLINE_MS: a claim has to last for a look-up between two requests.',
    ]);
  }
  return Object.freeze({
    redisUrl: e.REDIS_URL,
    cacheRedisUrl: e.CACHE_REDIS_URL ?? e.REDIS_URL,
    upstream: { baseUrl: e.TRADINGVIEW_BASE_URL, caFile: e.TRADINGVIEW_CA_FILE ?? null },
    secretKey: e.PINEGATE_SECRET_KEY,
    previousSecretKey: e.PINEGATE_SECRET_KEY_PREVIOUS,
    host: e.WORKER_HOST,
    port: e.WORKER_PORT,
    logLevel: e.LOG_LEVEL,
    otlpEndpoint: e.OTEL_EXPORTER_OTLP_ENDPOINT ?? null,
    processes: e.PROCESSES,
    inFlight: e.WORKER_IN_FLIGHT,
    acceptReplicas: e.ACCEPT_REPLICAS,
    times: {
      verifyDelayMs: e.VERIFY_DELAY_MS,
      leaseMs: e.CLAIM_LEASE_MS,
      freshMs: e.FRESH_HOURS * HOUR_MS,
      retentionMs: e.RETENTION_DAYS,
      maxTries: e.MAX_TRIES,
    },
    limits: { leaseMs: e.CLAIM_LEASE_MS, requestDeadlineMs: e.REQUEST_DEADLINE_MS, modifyMakesLifetime: true },
    drainMs: 2 * e.REQUEST_DEADLINE_MS,
  });
}

export type WorkerConfig = ReturnType<typeof parseConfig>;
