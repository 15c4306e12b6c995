import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from '@pinegate/runtime';
import { startProcess, startTestRedis, type TestProcess, waitFor } from '@pinegate/testing';

const ROOT = resolve(import.meta.dirname, '../..');

/** An HTTP answer with its body as JSON where it is JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read bodies as a client would, field by field.
  readonly body: any;
}

export interface CallOptions {
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string;
}

/** The real processes: a private Redis, the sandbox, an api and workers. */
export interface Stack {
  readonly apiUrl: string;
  readonly sandboxUrl: string;
  readonly adminKey: string;
  readonly workers: readonly TestProcess[];
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  sandbox(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Polls the batch until nothing is pending, and returns it. */
  drained(batch: string): Promise<Answer['body']>;
  /** Members of a script as the sandbox holds them: name → ISO date or null. */
  members(script: string): Promise<Map<string, string | null>>;
  stop(): Promise<void>;
}

/** An account of the sandbox and of Pinegate alike. */
export interface DemoAccount {
  readonly id: string;
  readonly scripts: readonly string[];
  /** How Pinegate is told to treat it; default: without any limit, 200 in flight. */
  readonly config?: Readonly<Record<string, unknown>>;
}

const unlimited = { start: null };

export const UNLIMITED = { grant: unlimited, revoke: unlimited, list: unlimited, lookup: unlimited };

/** Starts everything on free ports; `env` goes to api and workers. */
export async function startStack(options: {
  readonly workers: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly accounts: readonly DemoAccount[];
  /** Seed of the sandbox's random choices. */
  readonly seed?: string;
}): Promise<Stack> {
  const closers: (() => Promise<unknown>)[] = [];
  const dir = await mkdtemp(join(tmpdir(), 'pinegate-e2e-'));
  closers.push(() => rm(dir, { recursive: true, force: true }));
  const redis = await startTestRedis();
  closers.push(() => redis.close());
  const [port = 0, tlsPort = 0, apiPort = 0] = await Promise.all([freePort(), freePort(), freePort()]);
  const certificate = join(dir, 'sandbox.pem');
  const start = async (app: string, env: Record<string, string>, readyLine: RegExp) => {
    const child = await startProcess({ args: [`apps/${app}/src/main.ts`], cwd: ROOT, env, readyLine });
    closers.push(() => child.stop());
    return child;
  };
  await start(
    'sandbox',
    {
      SANDBOX_PORT: String(port),
      SANDBOX_TLS_PORT: String(tlsPort),
      SANDBOX_CERT_FILE: certificate,
      SANDBOX_SEED: options.seed ?? 'e2e',
    },
    /sandbox ready/,
  );
  const adminKey = randomBytes(24).toString('base64url');
  const env = {
    REDIS_URL: redis.url,
    PINEGATE_SECRET_KEY: randomBytes(32).toString('base64'),
    PINEGATE_ADMIN_KEY: adminKey,
    TRADINGVIEW_BASE_URL: `https://127.0.0.1:${tlsPort}`,
    TRADINGVIEW_CA_FILE: certificate,
    ...options.env,
  };
  await start('api', { ...env, API_PORT: String(apiPort) }, /"msg":"ready"/);
  const workers: TestProcess[] = [];
  for (let i = 0; i < options.workers; i++) {
    workers.push(await start('worker', { ...env, WORKER_PORT: '0' }, /worker ready/));
  }
  const stack = buildStack({
    apiUrl: `http://127.0.0.1:${apiPort}`,
    sandboxUrl: `http://127.0.0.1:${port}`,
    adminKey,
    workers,
    async stop() {
      for (const close of closers.reverse()) await close();
    },
  });
  for (const account of options.accounts) await addAccount(stack, account);
  return stack;
}

async function addAccount(stack: Stack, { id, scripts, config }: DemoAccount): Promise<void> {
  const cookies = { sessionid: `session-${id}`, sessionidSign: `sign-${id}` };
  await stack.sandbox('PUT', `/__sandbox/accounts/${id}`, { ...cookies, scripts });
  await stack.call('PUT', `/v1/accounts/${id}`, {
    body: { scripts, ...(config ?? { budgets: UNLIMITED, maxInFlight: 200 }) },
  });
  const { body } = await stack.call('PUT', `/v1/accounts/${id}/session`, { body: cookies });
  if (body.state !== 'active') throw new Error(`account ${id} is ${body.state}: ${body.reason}`);
}

async function request(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

function buildStack(parts: Pick<Stack, 'apiUrl' | 'sandboxUrl' | 'adminKey' | 'workers' | 'stop'>): Stack {
  const stack: Stack = {
    ...parts,
    call(method, path, { key = parts.adminKey, headers = {}, body, raw } = {}) {
      const json = body === undefined ? {} : { 'content-type': 'application/json' };
      const auth = key === null ? {} : { authorization: `Bearer ${key}` };
      const payload = raw ?? (body === undefined ? null : JSON.stringify(body));
      return request(parts.apiUrl + path, { method, headers: { ...json, ...auth, ...headers }, body: payload });
    },
    sandbox(method, path, body) {
      const payload = body === undefined ? null : JSON.stringify(body);
      const headers = { 'content-type': 'application/json' };
      return request(parts.sandboxUrl + path, { method, headers, body: payload });
    },
    drained(batch) {
      return waitFor(
        async () => {
          const { body } = await stack.call('GET', `/v1/batches/${batch}`);
          return body.pending === 0 && body.state !== 'receiving' ? body : undefined;
        },
        { what: `batch ${batch} to drain`, withinMs: 90_000 },
      );
    },
    async members(script) {
      const { body } = await stack.sandbox('GET', `/__sandbox/members?pine_id=${encodeURIComponent(script)}`);
      return new Map(
        (body.members as { username: string; expiration: string | null }[]).map((m) => [m.username, m.expiration]),
      );
    },
  };
  return stack;
}
