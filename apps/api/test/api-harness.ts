import { randomBytes } from 'node:crypto';
import { type AccessState, effectiveState, fold, LANES } from '@pinegate/access';
import { createBudgetReader } from '@pinegate/budget';
import { openFlags } from '@pinegate/flags';
import {
  type Bells,
  createEpochGuard,
  type Directory,
  type Epochs,
  type Ledger,
  openDirectory,
  openEpochs,
  openLedger,
  type Settlement,
} from '@pinegate/ledger';
import {
  closeRedis,
  createLogger,
  createMetrics,
  type Logger,
  openRedis,
  type Redis,
  redisReady,
} from '@pinegate/runtime';
import { randomNamespace } from '@pinegate/testing';
import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../src/api-context.ts';
import { buildApiMetrics } from '../src/api-metrics.ts';
import { createReadingPool } from '../src/batches/reading-pool.ts';
import { buildApp } from '../src/build-app.ts';
import { countIdempotency } from '../src/count-idempotency.ts';
import { buildEpochEvents } from '../src/epoch-events.ts';
import { buildSessionChecks } from '../src/session-checks.ts';
import { buildSettledEvents } from '../src/settled-events.ts';
import { buildUsernameChecks, type KnownName } from '../src/username-checks.ts';

export const ADMIN_KEY = 'admin-key-of-the-tests';
export const SCRIPT = `PUB;${'a'.repeat(32)}`;
export const OTHER_SCRIPT = `PUB;${'b'.repeat(32)}`;
export const UNKNOWN_SCRIPT = `PUB;${'c'.repeat(32)}`;
export const ACCESS = `/v1/scripts/${encodeURIComponent(SCRIPT)}/access`;

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

export interface CallOptions {
  /** An object is sent as JSON. */
  readonly body?: unknown;
  readonly type?: string;
  readonly headers?: Record<string, string>;
  /** API key; null = none. */
  readonly key?: string | null;
}

export interface Called {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  // Tests read answers of every shape.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any;
}

export interface ApiHarness {
  readonly app: FastifyInstance;
  readonly directory: Directory;
  readonly ledger: Ledger;
  readonly epochs: Epochs;
  readonly ns: string;
  /** Bells rung, by account. */
  readonly rung: { readonly account: string; readonly bells: Bells }[];
  /** What stands in for the workers; a test replaces it. */
  readonly tasks: {
    checkSession(account: string): Promise<void>;
    refresh(account: string, refresh: string): Promise<void>;
    validate(names: readonly string[]): Promise<void>;
  };
  readonly names: Map<string, KnownName>;
  readonly logged: string[];
  full: boolean;
  call(method: Method, url: string, options?: CallOptions): Promise<Called>;
  /** Does what workers do, until nothing of the account is left to do; `upstream` gets what is there for each key then. */
  work(account: string, upstream?: Map<string, AccessState>, answer?: WorkAnswer): Promise<void>;
  /** Creates account `one` with SCRIPT and account `two` with OTHER_SCRIPT. */
  addAccounts(): Promise<void>;
  /** Number of keys in the test's namespace. */
  countKeys(): Promise<number>;
  /** Empties the whole Redis: only where it is the test's own. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** How TradingView answers a write; null = as asked. */
export type WorkAnswer = (username: string) => { readonly rejected: string } | { readonly failing: string } | null;

export interface HarnessOptions {
  readonly maxTries?: number;
  readonly verifyDelayMs?: number;
  readonly trustedProxies?: readonly string[];
  /** How many replicas must have what is accepted. */
  readonly acceptReplicas?: number;
  /** Threads that read large uploads. */
  readonly uploadThreads?: number;
  /** Whether a command that Redis does not answer fails within a second, as in the app: for tests in which it is away. */
  readonly failsFast?: boolean;
}

export async function openApiHarness(redisUrl: string, options: HarnessOptions = {}): Promise<ApiHarness> {
  const ns = randomNamespace();
  const logged: string[] = [];
  const log = createLogger({
    app: 'api',
    level: 'info',
    destination: { write: (line: string) => void logged.push(line) },
  });
  const { failsFast = false } = options;
  const redis = failsFast ? openRedis(redisUrl, 'producer', log) : openPatient(redisUrl, log);
  const events = openRedis(redisUrl, 'blocking', log);
  await Promise.all([redisReady(redis), redisReady(events)]);
  const { maxTries = 5, verifyDelayMs = 0 } = options;
  const times = { verifyDelayMs, leaseMs: 20_000, freshMs: 86_400_000, retentionMs: 86_400_000, maxTries };
  const directory = openDirectory({
    redis,
    ns,
    secretKey: randomBytes(32),
    adminKey: ADMIN_KEY,
    retentionMs: times.retentionMs,
  });
  const flags = openFlags({ redis, ns });
  const metrics = createMetrics('api');
  const counters = buildApiMetrics(metrics);
  const epochs = openEpochs({ redis, ns });
  const epoch = createEpochGuard({ epochs, accounts: directory.accounts, events: buildEpochEvents(metrics, log) });
  await epoch.look();
  const replicated = options.acceptReplicas === undefined ? null : openPatient(redisUrl, log);
  if (replicated) await redisReady(replicated);
  const replication = replicated ? { replication: { redis: replicated, count: options.acceptReplicas ?? 0 } } : {};
  const ledger = openLedger({ redis, ns, times, epoch, ...replication });
  const names = new Map<string, KnownName>();
  const readNames = async (asked: readonly string[]) => asked.map((name) => names.get(name.toLowerCase()) ?? null);
  const rung: ApiHarness['rung'] = [];
  const tasks: ApiHarness['tasks'] = {
    checkSession: async () => {},
    refresh: async () => {},
    validate: async () => {},
  };
  const state = { full: false };
  const reading = options.uploadThreads === undefined ? null : createReadingPool(options.uploadThreads);
  const context: ApiContext = {
    log,
    redis,
    ns,
    reading,
    trustedProxies: options.trustedProxies ?? [],
    metrics,
    counters,
    directory: { ...directory, idempotency: countIdempotency(directory.idempotency, counters) },
    ledger,
    epoch,
    epochs,
    settled: buildSettledEvents(events),
    usernames: buildUsernameChecks({ getMany: readNames, lookAgain: readNames }, (asked) => tasks.validate(asked)),
    sessions: buildSessionChecks(directory.accounts, (account) => tasks.checkSession(account)),
    askRefresh: (account, refresh) => tasks.refresh(account, refresh),
    flags,
    budgets: createBudgetReader({ redis, ns }),
    ring: async (account, bells) => void rung.push({ account, bells }),
    ping: async () => void (await redis.ping()),
    isFull: () => state.full,
    now: Date.now,
  };
  const app = await buildApp(context);
  await app.ready();

  const harness: ApiHarness = {
    app,
    directory,
    ledger,
    epochs,
    ns,
    rung,
    tasks,
    names,
    logged,
    get full() {
      return state.full;
    },
    set full(value) {
      state.full = value;
    },
    async call(method, url, { body, type, headers = {}, key = ADMIN_KEY } = {}) {
      const json = type === undefined && body !== undefined;
      const answer = await app.inject({
        method,
        url,
        headers: {
          ...(json ? { 'content-type': 'application/json' } : {}),
          ...(type === undefined ? {} : { 'content-type': type }),
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
          ...headers,
        },
        ...(body === undefined ? {} : { payload: json ? JSON.stringify(body) : (body as string | Buffer) }),
      });
      const isJson = /\bapplication\/(problem\+)?json\b/.test(String(answer.headers['content-type']));
      return {
        status: answer.statusCode,
        headers: answer.headers,
        body: isJson ? JSON.parse(answer.body) : answer.body,
      };
    },
    work: (account, upstream = new Map(), answer = () => null) => work(ledger, account, upstream, answer),
    async addAccounts() {
      const config = { budgets: BUDGETS, maxInFlight: 24 };
      await directory.accounts.put('one', { ...config, scripts: [SCRIPT] });
      await directory.accounts.put('two', { ...config, scripts: [OTHER_SCRIPT] });
    },
    // Requests are counted for a second whatever they ask for, and what an operator was refused is audited.
    countKeys: async () => (await redis.keys(`*${ns}*`)).filter((key) => !/:(rate|audit)\b/.test(key)).length,
    clear: async () => void (await redis.flushall()),
    async close() {
      await app.close();
      await reading?.close();
      await flags.close();
      directory.close();
      await Promise.all([redis, events, ...(replicated ? [replicated] : [])].map((each) => closeRedis(each)));
    },
  };
  return harness;
}

// Or a request would be answered 503 whenever this process stands still for a second.
function openPatient(url: string, log: Logger): Redis {
  const redis = openRedis(url, 'producer', log);
  Object.assign(redis.options, { commandTimeout: 60_000, socketTimeout: 60_000 });
  return redis;
}

const BUDGET = { start: 5, min: 0.5, max: 1_000, adaptive: true };
const BUDGETS = { grant: BUDGET, revoke: BUDGET, list: BUDGET, lookup: BUDGET };

// A worker without its upstream: what is asked for is so at once.
async function work(
  ledger: Ledger,
  account: string,
  upstream: Map<string, AccessState>,
  answer: WorkAnswer,
): Promise<void> {
  const own = ledger.account(account);
  for (let busy = true; busy; ) {
    busy = false;
    for (const lane of LANES) {
      for (;;) {
        const job = randomBytes(6).toString('hex');
        const chunk = await own.take(lane, job);
        if (chunk === null) break;
        busy = true;
        const token = randomBytes(6).toString('hex');
        const permits = { grant: 50, revoke: 50, list: 50 };
        const { keys } = await own.claim(chunk.script, chunk.names, token, permits);
        for (let claimed of keys) {
          const { name } = claimed;
          const read = upstream.get(name) ?? { state: 'none' as const };
          if (claimed.need === 'base') {
            const fixed = await own.fix(chunk.script, name, token, claimed.version, read, claimed.claimedAt);
            if (!('name' in fixed)) continue;
            claimed = fixed;
          }
          if (claimed.need === 'final') {
            const target = effectiveState(fold(claimed.base, claimed.chain), Date.now());
            await own.final(chunk.script, name, token, target, read, Date.now() + 1_000);
          }
          if (claimed.need !== 'write') continue;
          const target = effectiveState(fold(claimed.base, claimed.chain), Date.now());
          const common = { script: chunk.script, name, token, carried: claimed.version, sent: true };
          const said = answer(claimed.spelling);
          const settlement: Settlement =
            said === null
              ? { ...common, result: 'applied', target, outcome: target.state === 'none' ? 'revoked' : 'granted' }
              : 'rejected' in said
                ? { ...common, result: 'rejected', code: said.rejected }
                : { ...common, result: 'uncertain', code: said.failing, retryMs: 0, spend: true };
          if (said === null) upstream.set(name, target);
          await own.settle([settlement]);
        }
        await own.close(lane, job, chunk.id);
      }
    }
    const { moved } = await own.sweepDue(1_000);
    if (moved > 0) busy = true;
  }
}
