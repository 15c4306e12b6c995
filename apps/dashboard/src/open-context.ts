import { type Directory, type Ledger, openDirectory, openLedger } from '@pinegate/ledger';
import { type BoardQueues, createBoardQueues } from '@pinegate/queues';
import {
  closeRedis,
  createMetrics,
  type Lifecycle,
  type Logger,
  type Metrics,
  openRedis,
  type Redis,
} from '@pinegate/runtime';
import { buildLoginSessions, type LoginSessions } from './login-sessions.ts';
import type { DashboardConfig } from './parse-config.ts';

/** What the routes work with. */
export interface DashboardContext {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly redis: Redis;
  readonly directory: Directory;
  readonly ledger: Ledger;
  readonly queues: BoardQueues;
  readonly sessions: LoginSessions;
  readonly apiUrl: string;
}

const DAY_MS = 86_400_000;
// The dashboard only reads what waits, and no time of the ledger's bears on that.
const TIMES = { verifyDelayMs: 45_000, leaseMs: 20_000, freshMs: DAY_MS, retentionMs: 7 * DAY_MS, maxTries: 5 };

/** Opens everything over one connection; each opening registers its closing. */
export function openContext(
  { redisUrl, secretKey, adminKey, apiUrl }: DashboardConfig,
  ns: string,
  log: Logger,
  { onClose }: Pick<Lifecycle, 'onClose'>,
): DashboardContext {
  const redis = openRedis(redisUrl, 'producer', log);
  onClose('redis', () => closeRedis(redis));
  const queues = createBoardQueues({ redis, ns });
  onClose('queues', () => queues.close());
  const { retentionMs } = TIMES;
  const directory = openDirectory({ redis, ns, secretKey, retentionMs, ...(adminKey === null ? {} : { adminKey }) });
  onClose('directory', () => directory.close());
  return {
    log,
    metrics: createMetrics('dashboard'),
    redis,
    directory,
    ledger: openLedger({ redis, ns, times: TIMES }),
    queues,
    sessions: buildLoginSessions(redis, ns),
    apiUrl,
  };
}
