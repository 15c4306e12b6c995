import type { LedgerTimes } from '@pinegate/ledger';
import {
  type Env,
  LOG_LEVELS,
  type LogLevel,
  parseEnv,
  processCountSchema,
  refuseReplicasInCluster,
  retentionSchema,
  secretKeySchema,
  trustedProxiesSchema,
} from '@pinegate/runtime';
import { z } from 'zod';

/** Configuration of the api. */
export interface ApiConfig {
  readonly host: string;
  readonly port: number;
  /** Addresses and networks of proxies whose X-Forwarded headers are believed. */
  readonly trustedProxies: readonly string[];
  readonly redisUrl: string;
  readonly cacheRedisUrl: string;
  readonly secretKey: Buffer;
  readonly previousSecretKey: Buffer | null;
  readonly adminKey: string | null;
  readonly logLevel: LogLevel;
  /** Where an OTLP collector listens; null: nothing is traced. */
  readonly otlpEndpoint: string | null;
  readonly retentionMs: number;
  /** How many replicas must have an accepted write. */
  readonly acceptReplicas: number;
  /** Copies of this process that serve together. */
  readonly processes: number;
  /** Threads that read large uploads; 0: they are read where all else is done. */
  readonly uploadThreads: number;
  readonly times: LedgerTimes;
}

const ADMIN_KEY_LENGTH = 16;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number.')
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error: `must lie between ${min} and ${max}.` });

const SCHEMA = z.object({
  API_HOST: z.string().default('127.0.0.1'),
  API_PORT: whole(0, 65_535).default(5_000),
  TRUST_PROXY: trustedProxiesSchema,
  REDIS_URL: z.string().default('redis://127.0.0.1:6379'),
  CACHE_REDIS_URL: z.string().optional(),
  PINEGATE_SECRET_KEY: secretKeySchema,
  PINEGATE_SECRET_KEY_PREVIOUS: secretKeySchema.optional(),
  PINEGATE_ADMIN_KEY: z
    .string()
    .min(ADMIN_KEY_LENGTH, `must have at least ${ADMIN_KEY_LENGTH} characters.`)
    .max(512, 'must have at most 512 characters.')
    .regex(/^[\x21-\x7e]*$/, 'must be visible ASCII without spaces, since it travels in a header.')
    .optional(),
  LOG_LEVEL: z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}.` }).default('info'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  RETENTION_DAYS: retentionSchema,
  FRESH_HOURS: whole(0, 87_600).default(24),
  VERIFY_DELAY_MS: whole(0, DAY_MS).default(45_000),
  CLAIM_LEASE_MS: whole(1_000, HOUR_MS).default(20_000),
  MAX_TRIES: whole(1, 1_000).default(5),
  ACCEPT_REPLICAS: whole(0, 10).default(0),
  PROCESSES: processCountSchema,
  UPLOAD_THREADS: whole(0, 64).default(0),
});

const SECRETS = [
  'REDIS_URL',
  'CACHE_REDIS_URL',
  'PINEGATE_SECRET_KEY',
  'PINEGATE_SECRET_KEY_PREVIOUS',
  'PINEGATE_ADMIN_KEY',
];

/**
 * Reads the environment of the api; each secret also as `NAME_FILE`.
 * Errors: `ConfigError` with all mistakes, each a sentence, none with a value.
 */
export function parseConfig(env: Env): ApiConfig {
  const read = parseEnv(SCHEMA, env, { secrets: SECRETS });
  refuseReplicasInCluster(read.REDIS_URL, read.ACCEPT_REPLICAS);
  return Object.freeze({
    host: read.API_HOST,
    port: read.API_PORT,
    trustedProxies: read.TRUST_PROXY,
    redisUrl: read.REDIS_URL,
    cacheRedisUrl: read.CACHE_REDIS_URL ?? read.REDIS_URL,
    secretKey: read.PINEGATE_SECRET_KEY,
    previousSecretKey: read.PINEGATE_SECRET_KEY_PREVIOUS ?? null,
    adminKey: read.PINEGATE_ADMIN_KEY ?? null,
    logLevel: read.LOG_LEVEL,
    otlpEndpoint: read.OTEL_EXPORTER_OTLP_ENDPOINT ?? null,
    retentionMs: read.RETENTION_DAYS,
    acceptReplicas: read.ACCEPT_REPLICAS,
    processes: read.PROCESSES,
    uploadThreads: read.UPLOAD_THREADS,
    times: Object.freeze({
      verifyDelayMs: read.VERIFY_DELAY_MS,
      leaseMs: read.CLAIM_LEASE_MS,
      freshMs: read.FRESH_HOURS * HOUR_MS,
      retentionMs: read.RETENTION_DAYS,
      maxTries: read.MAX_TRIES,
    }),
  });
}
