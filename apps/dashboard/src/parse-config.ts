import {
  type Env,
  LOG_LEVELS,
  type LogLevel,
  parseEnv,
  secretKeySchema,
  trustedProxiesSchema,
} from '@pinegate/runtime';
import { z } from 'zod';

/** Configuration of the dashboard. */
export interface DashboardConfig {
  readonly host: string;
  readonly port: number;
  readonly redisUrl: string;
  readonly secretKey: Buffer;
  readonly adminKey: string | null;
  readonly logLevel: LogLevel;
  /** Where an OTLP collector listens; null: nothing is traced. */
  readonly otlpEndpoint: string | null;
  /** Where a browser finds the API, for links. */
  readonly apiUrl: string;
  /** Addresses and networks of proxies whose X-Forwarded headers are believed. */
  readonly trustedProxies: readonly string[];
}

const ADMIN_KEY_LENGTH = 16;

const SCHEMA = z.object({
  DASHBOARD_HOST: z.string().default('127.0.0.1'),
  DASHBOARD_PORT: z.coerce.number().int().min(0).max(65_535).default(5_001),
  REDIS_URL: z.string().default('redis://127.0.0.1:6379'),
  PINEGATE_SECRET_KEY: secretKeySchema,
  PINEGATE_ADMIN_KEY: z.string().min(ADMIN_KEY_LENGTH, `must have at least ${ADMIN_KEY_LENGTH} characters.`).optional(),
  LOG_LEVEL: z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}.` }).default('info'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  TRUST_PROXY: trustedProxiesSchema,
  API_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:5000'),
});

const SECRETS = ['REDIS_URL', 'PINEGATE_SECRET_KEY', 'PINEGATE_ADMIN_KEY'];

/**
 * Reads the environment of the dashboard; each secret also as `NAME_FILE`.
 * Errors: `ConfigError` with all mistakes, each a sentence, none with a value.
 */
export function parseConfig(env: Env): DashboardConfig {
  const read = parseEnv(SCHEMA, env, { secrets: SECRETS });
  return Object.freeze({
    host: read.DASHBOARD_HOST,
    port: read.DASHBOARD_PORT,
    redisUrl: read.REDIS_URL,
    secretKey: read.PINEGATE_SECRET_KEY,
    adminKey: read.PINEGATE_ADMIN_KEY ?? null,
    logLevel: read.LOG_LEVEL,
    otlpEndpoint: read.OTEL_EXPORTER_OTLP_ENDPOINT ?? null,
    trustedProxies: read.TRUST_PROXY,
    apiUrl: read.API_URL.replace(/\/$/, ''),
  });
}
