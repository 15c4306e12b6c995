import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reservePort, startProcess, startTestRedis, type TestProcess, type TestRedis } from '@pinegate/testing';
import { APIS, type Plan, WORKERS } from './plan.ts';
import { ROOT } from './sources.ts';
import { DEADLINE_MS, LEASE_MS, U_MS } from './stage.ts';

// A machine with far too much to do takes minutes to start a process.
const LIVENESS_MS = 300_000;

/** A process that can be killed and frozen, and comes back. */
export interface Victim {
  readonly name: string;
  /** kill -9. */
  kill(): Promise<void>;
  /** Starts it again if it is dead; resolves when it answers. One that does not is ended and started again, as a liveness probe would. */
  revive(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

/** HTTP/2 over TLS, or HTTP/1.1: how the workers talk to the sandbox. */
export type Protocol = 'https' | 'http';

export interface StormStack {
  readonly redis: TestRedis;
  readonly workers: readonly Victim[];
  readonly apis: readonly Victim[];
  readonly apiUrls: readonly string[];
  readonly sandboxUrl: string;
  readonly adminKey: string;
  /** Processes that had to be ended because they did not answer although nobody froze them. */
  readonly stuck: readonly string[];
  /** Lines that workers and apis wrote as errors. */
  problems(): readonly string[];
  stop(): Promise<void>;
}

/** Starts Redis (with its append-only file), the sandbox, apis and workers, the latter two with `sources` in place of theirs. */
export async function startStormStack(
  { seed }: Pick<Plan, 'seed'>,
  protocol: Protocol,
  sources: Readonly<Record<string, string>>,
): Promise<StormStack> {
  const closers: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const dir = await mkdtemp(join(tmpdir(), 'pinegate-storm-'));
    closers.push(() => rm(dir, { recursive: true, force: true }));
    const sourcesFile = join(dir, 'sources.json');
    await writeFile(sourcesFile, JSON.stringify(sources));
    // A4: what was acknowledged is in the kernel's hands, which outlives the process. A slow disk makes `everysec` hold writes back.
    const redis = await startTestRedis({ config: { appendfsync: 'no' } });
    closers.push(() => redis.close());
    const ports = await Promise.all(Array.from({ length: 2 + APIS }, () => reservePort()));
    const [port = 0, tlsPort = 0, ...apiPorts] = ports;
    const certificate = join(dir, 'sandbox.pem');
    const sandbox = await startProcess({
      args: ['apps/sandbox/src/main.ts'],
      cwd: ROOT,
      env: {
        SANDBOX_PORT: String(port),
        SANDBOX_TLS_PORT: String(tlsPort),
        SANDBOX_CERT_FILE: certificate,
        SANDBOX_SEED: `storm ${seed}`,
      },
      readyLine: /sandbox ready/,
    });
    closers.push(() => sandbox.stop());
    const adminKey = randomBytes(24).toString('base64url');
    const env = {
      REDIS_URL: redis.url,
      PINEGATE_SECRET_KEY: randomBytes(32).toString('base64'),
      PINEGATE_ADMIN_KEY: adminKey,
      TRADINGVIEW_BASE_URL: protocol === 'https' ? `https://127.0.0.1:${tlsPort}` : `http://127.0.0.1:${port}`,
      ...(protocol === 'https' ? { TRADINGVIEW_CA_FILE: certificate } : {}),
      VERIFY_DELAY_MS: String(U_MS),
      CLAIM_LEASE_MS: String(LEASE_MS),
      REQUEST_DEADLINE_MS: String(DEADLINE_MS),
      MAX_TRIES: '3',
      LOG_LEVEL: 'warn',
      STORM_SOURCES: sourcesFile,
      // Half of what a start costs, and a storm starts dozens of processes.
      NODE_COMPILE_CACHE: join(tmpdir(), 'pinegate-storm-compile-cache'),
    };
    const all: TestProcess[] = [];
    const stuck: string[] = [];
    const victim = async (name: string, app: string, own: Record<string, string>) => {
      const start = async () => {
        const args = ['--import', join(import.meta.dirname, 'replace-sources.ts'), `apps/${app}/src/main.ts`];
        const child = await startProcess({ args, cwd: ROOT, env: { ...env, ...own } });
        all.push(child);
        return child;
      };
      const made = createVictim(
        name,
        await start(),
        start,
        `http://127.0.0.1:${Object.values(own)[0]}/healthz`,
        (stuckOne) => stuck.push(stuckOne),
      );
      closers.push(() => made.end());
      return made;
    };
    const apis = await Promise.all(apiPorts.map((p, i) => victim(`api ${i}`, 'api', { API_PORT: String(p) })));
    const workerPorts = await Promise.all(Array.from({ length: WORKERS }, () => reservePort()));
    const workers = await Promise.all(
      workerPorts.map((p, i) => victim(`worker ${i}`, 'worker', { WORKER_PORT: String(p) })),
    );
    await Promise.all([...apis, ...workers].map((v) => v.revive()));
    return {
      redis,
      workers,
      apis,
      apiUrls: apiPorts.map((p) => `http://127.0.0.1:${p}`),
      sandboxUrl: `http://127.0.0.1:${port}`,
      adminKey,
      stuck,
      problems: () => all.flatMap(({ lines }) => lines.filter((line) => !line.includes('"level":"info"'))),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function createVictim(
  name: string,
  first: TestProcess,
  start: () => Promise<TestProcess>,
  health: string,
  onStuck: (name: string) => void,
) {
  let current: TestProcess | null = first;
  let ended = false;

  async function answers(): Promise<boolean> {
    try {
      return (await fetch(health, { signal: AbortSignal.timeout(3_000) })).ok;
    } catch {
      return false;
    }
  }

  return {
    name,
    async kill() {
      const victim = current;
      current = null;
      await victim?.kill();
    },
    async revive() {
      if (ended) return;
      current ??= await start();
      let since = performance.now();
      while (!ended && current !== null && !(await answers())) {
        await new Promise((r) => setTimeout(r, 200));
        if (performance.now() - since < LIVENESS_MS) continue;
        const stuck: TestProcess = current;
        await stuck.kill();
        if (current !== stuck) return;
        onStuck(name);
        current = await start();
        since = performance.now();
      }
    },
    freeze: () => current?.signal('SIGSTOP'),
    thaw: () => current?.signal('SIGCONT'),
    async end() {
      ended = true;
      current?.signal('SIGCONT');
      await current?.stop();
      current = null;
    },
  } satisfies Victim & { end(): Promise<void> };
}
