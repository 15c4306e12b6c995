import { type BudgetReader, createBudgetReader } from '@pinegate/budget';
import { type Directory, type Ledger, openDirectory, openLedger } from '@pinegate/ledger';
import { type Bells, type BoardQueues, createBells, createBoardQueues } from '@pinegate/queues';
import {
  closeRedis,
  createMetrics,
  type Lifecycle,
  type Logger,
  type Metrics,
  openRedis,
  type Redis,
} from '@pinegate/runtime';
import { buildLoginLimit, type LoginLimit } from './login-limit.ts';
import { buildLoginSessions, type LoginSessions } from './login-sessions.ts';
import type { DashboardConfig } from './parse-config.ts';

/** What the routes work with. */
export interface DashboardContext {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly redis: Redis;
  readonly directory: Directory;
  readonly ledger: Ledger;
  readonly budgets: BudgetReader;
  readonly queues: BoardQueues;
  readonly bells: Bells;
  readonly sessions: LoginSessions;
  readonly loginLimit: LoginLimit;
  readonly apiUrl: string;
  /** Proxies whose X-Forwarded headers are believed. */
  readonly trustedProxies: readonly string[];
}

const DAY_MS = 86_400_000;
// The dashboard reads, and redrives: no time of the ledger's bears on either.
const TIMES = { verifyDelayMs: 45_000, leaseMs: 20_000, freshMs: DAY_MS, retentionMs: 7 * DAY_MS, maxTries: 5 };

/** Opens everything over one connection; each opening registers its closing. */
export function openContext(
  { redisUrl, secretKey, adminKey, apiUrl, trustedProxies }: DashboardConfig,
  ns: string,
  log: Logger,
  { onClose }: Pick<Lifecycle, 'onClose'>,
): DashboardContext {
  const redis = openRedis(redisUrl, 'producer', log);
  onClose('redis', () => closeRedis(redis));
  const queues = createBoardQueues({ redis, ns });
  onClose('queues', () => queues.close());
  const bells = createBells({ redis, ns });
  onClose('bells', () => bells.close());
  const { retentionMs } = TIMES;
  const directory = openDirectory({ redis, ns, secretKey, retentionMs, ...(adminKey === null ? {} : { adminKey }) });
  onClose('directory', () => directory.close());
  return {
    log,
    metrics: createMetrics('dashboard'),
    redis,
    directory,
    ledger: openLedger({ redis, ns, times: TIMES }),
    budgets: createBudgetReader({ redis, ns }),
    queues,
    bells,
    sessions: buildLoginSessions(redis, ns),
    loginLimit: buildLoginLimit(redis, ns),
    apiUrl,
    trustedProxies,
  };
}
