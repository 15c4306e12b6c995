import type { Redis } from '@pinegate/runtime';
import type { Directory } from '../directory-types.ts';
import { openEpochs } from '../epoch/open-epochs.ts';
import { buildAccounts } from './accounts.ts';
import { buildApiKeys } from './api-keys.ts';
import { buildAudit } from './audit.ts';
import { buildBatches } from './batches.ts';
import { directoryNames } from './directory-names.ts';
import { buildDirectoryScripts } from './directory-scripts.ts';
import { buildDue } from './due.ts';
import { buildIdempotency } from './idempotency.ts';
import { buildRoutes } from './routes.ts';
import { buildSecretBox } from './secret-box.ts';
import { buildSessions } from './sessions.ts';
import { buildSnapshot } from './snapshot.ts';
import { buildSuspicions } from './suspicions.ts';
import { buildWorkers } from './workers.ts';

/** How to open the directory. */
export interface DirectoryOptions {
  /** The caller's connection, which stays its to close. */
  readonly redis: Redis;
  /** Namespace: every key begins with `{<ns>}`. */
  readonly ns: string;
  /** 32 bytes that seal the cookies. */
  readonly secretKey: Buffer;
  /** The key before this one: what it sealed still opens, and is sealed anew when it is read. */
  readonly previousSecretKey?: Buffer;
  /** An API key with all scopes and id `admin`. Never stored. */
  readonly adminKey?: string;
  /** How long settled batches and stored answers are kept, ms. */
  readonly retentionMs: number;
  /** Stands in for Redis TIME and the local clock in tests, ms since 1970. */
  readonly now?: () => number;
}

/**
 * Opens the directory: accounts, sessions, routes, API keys, batches and idempotency keys of one namespace. Reads nothing yet. Every
 * operation that must be atomic is one Lua call; Redis errors come through as they are.
 * Errors: `DirectoryError` `SECRET_KEY_INVALID`.
 */
export function openDirectory(options: DirectoryOptions): Directory {
  const { redis, retentionMs, now } = options;
  const clock = now ?? (() => performance.now());
  const names = directoryNames(options.ns);
  const scripts = buildDirectoryScripts(redis, now);
  const snapshot = buildSnapshot(scripts, names, clock);
  const box = buildSecretBox(options.secretKey, options.previousSecretKey);
  const keys = buildApiKeys(scripts, names, { clock, now: now ?? Date.now, adminKey: options.adminKey ?? null });
  return {
    accounts: buildAccounts(scripts, names, snapshot, openEpochs({ redis, ns: options.ns, now })),
    sessions: buildSessions(scripts, names, box),
    suspicions: buildSuspicions(scripts, names),
    workers: buildWorkers(scripts, names),
    scripts: buildRoutes(scripts, names, snapshot, clock),
    keys,
    batches: buildBatches(scripts, names, retentionMs),
    idempotency: buildIdempotency(scripts, names, retentionMs),
    due: buildDue(redis, names),
    audit: buildAudit(redis, names),
    async now() {
      if (now) return now();
      const [seconds, micros] = await redis.time();
      return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
    },
    close: () => keys.forget(),
  };
}
