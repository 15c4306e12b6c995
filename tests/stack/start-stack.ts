import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  createTcpProxy,
  reservePort,
  startProcess,
  startTestRedis,
  type TcpProxy,
  type TestProcess,
  type TestRedis,
  type TestRedisOptions,
  waitFor,
} from '@pinegate/testing';
import { type Answer, createStackClient, type StackClient } from './stack-client.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** A check that had no answer is asked for again after half a minute. */
const CHECKED_MS = 150_000;

type Env = Readonly<Record<string, string>>;

/** The real processes: a private Redis, the sandbox, an api and workers. */
export interface Stack extends StackClient {
  readonly apiUrl: string;
  readonly sandboxUrl: string;
  readonly adminKey: string;
  /** The sandbox as TradingView: over HTTP/2, with this certificate. */
  readonly upstream: { readonly url: string; readonly caFile: string };
  readonly redis: TestRedis;
  /** Between Redis and the processes, where the stack was started with `proxied`. */
  readonly proxy: TcpProxy | null;
  /** All workers that were started, the dead among them. */
  readonly workers: readonly TestProcess[];
  /** The api that was started last. */
  readonly api: TestProcess;
  /** Starts one more worker; resolves when it is ready, or at once with `await: false`. */
  startWorker(options?: StartOptions): Promise<TestProcess>;
  /** Starts the api again, at the same address; whoever was there before must be gone. */
  startApi(options?: StartOptions): Promise<TestProcess>;
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly env?: Env;
  /** Default true: wait until it says that it is ready. */
  readonly ready?: boolean;
}

/** An account of the sandbox and of Pinegate alike. */
export interface DemoAccount {
  readonly id: string;
  readonly scripts: readonly string[];
  /** How Pinegate is told to treat it; default: without any limit, 200 in flight. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface StackOptions {
  readonly workers: number;
  /** Goes to api and workers. */
  readonly env?: Env;
  readonly accounts: readonly DemoAccount[];
  /** Of the sandbox's random choices. */
  readonly seed?: string;
  readonly redis?: TestRedisOptions;
  /** Puts a TCP proxy between Redis and the processes. */
  readonly proxied?: boolean;
  /** What a worker is started from, below the project's root. Default: the app. */
  readonly workerMain?: string;
}

const unlimited = { start: null };

export const UNLIMITED = { grant: unlimited, revoke: unlimited, list: unlimited, lookup: unlimited };

/** Starts everything on free ports. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const closers: (() => Promise<unknown>)[] = [];
  try {
    return await openStack(options, closers);
  } catch (error) {
    for (const close of closers.reverse()) await close();
    throw error;
  }
}

async function openStack(options: StackOptions, closers: (() => Promise<unknown>)[]): Promise<Stack> {
  const dir = await mkdtemp(join(tmpdir(), 'pinegate-stack-'));
  closers.push(() => rm(dir, { recursive: true, force: true }));
  const redis = await startTestRedis(options.redis);
  closers.push(() => redis.close());
  const proxy = options.proxied ? await createTcpProxy(redis.port) : null;
  closers.push(async () => proxy?.close());

  const [port, tlsPort, apiPort] = await Promise.all([reservePort(), reservePort(), reservePort()]);
  const start = async (main: string, env: Env, readyLine?: RegExp) => {
    const child = await startProcess({ args: [main], cwd: ROOT, env, ...(readyLine ? { readyLine } : {}) });
    closers.push(() => child.stop());
    return child;
  };
  const sandboxEnv = {
    SANDBOX_PORT: String(port),
    SANDBOX_TLS_PORT: String(tlsPort),
    SANDBOX_CERT_FILE: join(dir, 'sandbox.pem'),
    SANDBOX_SEED: options.seed ?? 'e2e',
  };
  await start('apps/sandbox/src/main.ts', sandboxEnv, /sandbox ready/);

  const adminKey = randomBytes(24).toString('base64url');
  const upstream = { url: `https://127.0.0.1:${tlsPort}`, caFile: sandboxEnv.SANDBOX_CERT_FILE };
  const env = {
    REDIS_URL: proxy ? `redis://127.0.0.1:${proxy.port}` : redis.url,
    PINEGATE_SECRET_KEY: randomBytes(32).toString('base64'),
    PINEGATE_ADMIN_KEY: adminKey,
    TRADINGVIEW_BASE_URL: upstream.url,
    TRADINGVIEW_CA_FILE: upstream.caFile,
    ...options.env,
  };
  const workerMain = options.workerMain ?? 'apps/worker/src/main.ts';
  const startApi = ({ env: more = {}, ready = true }: StartOptions = {}) =>
    start('apps/api/src/main.ts', { ...env, API_PORT: String(apiPort), ...more }, ready ? /"msg":"ready"/ : undefined);
  const startWorker = ({ env: more = {}, ready = true }: StartOptions = {}) =>
    start(workerMain, { ...env, WORKER_PORT: '0', ...more }, ready ? /worker ready/ : undefined);

  let api = await startApi({ ready: options.redis?.started !== false });
  const workers: TestProcess[] = [];
  const at = { apiUrl: `http://127.0.0.1:${apiPort}`, sandboxUrl: `http://127.0.0.1:${port}`, adminKey };
  const stack: Stack = {
    ...at,
    ...createStackClient(at),
    upstream,
    redis,
    proxy,
    workers,
    get api() {
      return api;
    },
    async startWorker(more) {
      const worker = await startWorker(more);
      workers.push(worker);
      return worker;
    },
    async startApi(more) {
      api = await startApi(more);
      return api;
    },
    async stop() {
      for (const close of closers.reverse()) await close();
    },
  };
  for (let i = 0; i < options.workers; i++) await stack.startWorker();
  for (const account of options.accounts) await addAccount(stack, account);
  return stack;
}

/** The cookies of a demo account. */
export function cookiesOf(id: string): { readonly sessionid: string; readonly sessionidSign: string } {
  return { sessionid: `session-${id}`, sessionidSign: `sign-${id}` };
}

/** Makes the account known to the sandbox and to the api, with cookies that work. */
export async function addAccount(stack: StackClient, { id, scripts, config }: DemoAccount): Promise<void> {
  const cookies = cookiesOf(id);
  await stack.sandbox('PUT', `/__sandbox/accounts/${id}`, { ...cookies, scripts });
  const body = { scripts, ...(config ?? { budgets: UNLIMITED, maxInFlight: 200 }) };
  const isTaken = async () => (await stack.call('PUT', `/v1/accounts/${id}`, { body })).status < 300;
  await waitFor(isTaken, { what: `account ${id} to be taken` });
  await postCookies(stack, id, cookies);
  const isActive = async () => (await stack.read(`/v1/accounts/${id}`)).state === 'active';
  await waitFor(isActive, { what: `account ${id} to be active`, withinMs: CHECKED_MS });
}

/** Posts cookies, and resolves to the account once a worker has checked them: the api itself waits for that for 5 s only. */
export async function postCookies(stack: StackClient, id: string, cookies: object): Promise<Answer['body']> {
  const path = `/v1/accounts/${id}`;
  const posted = await waitFor(
    async () => {
      const answer = await stack.call('PUT', `${path}/session`, { body: cookies });
      return answer.status === 200 && answer.body;
    },
    { what: `the cookies of ${id} to be taken` },
  );
  if (posted.session.state !== 'unknown') return posted;
  return waitFor(
    async () => {
      const account = await stack.read(path);
      return account.session.state !== 'unknown' && account;
    },
    { what: `the cookies of ${id} to be checked`, withinMs: CHECKED_MS },
  );
}

/** Resolves once each of these workers, with LOG_LEVEL=debug, has ended what it had of an account because that is in such a state. */
export async function leftAlone(
  workers: readonly TestProcess[],
  id: string,
  state: 'parked' | 'paused',
): Promise<void> {
  const told = new RegExp(`"account":"${id}","state":"${state}".*"msg":"account state"`);
  await Promise.all(workers.map((worker) => worker.line(told)));
}
