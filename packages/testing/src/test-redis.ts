import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedisServer } from '@pinegate/runtime';
import { reservePort } from './reserve-port.ts';

export type TestRedisOptions = {
  /** Keep data over kill and restart. Default true. */
  appendOnly?: boolean;
  /** Further redis.conf directives. */
  config?: Readonly<Record<string, string>>;
  /** Whether to start it. Default true; false for "down at boot". */
  started?: boolean;
};

export type TestRedis = {
  readonly url: string;
  readonly port: number;
  /** Of the server that runs now; null while none does. */
  readonly pid: number | null;
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with what it had kept. */
  start(): Promise<void>;
  /** Stops its process where it stands: connections stay open, nothing answers. */
  freeze(): void;
  thaw(): void;
  /** Ends it and removes its directory. Idempotent. */
  close(): Promise<void>;
};

/** A Redis of the test's own, to be killed, frozen and restarted at will. */
export async function startTestRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'pinegate-test-redis-'));
  const port = await reservePort();
  let server: RedisServer | undefined;

  const signal = (name: NodeJS.Signals) => {
    if (server === undefined) throw new Error('the test Redis is not running');
    process.kill(server.pid, name);
  };
  const redis: TestRedis = {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return server?.pid ?? null;
    },
    async start() {
      server ??= await startRedisServer({
        dir,
        port,
        appendOnly: options.appendOnly ?? true,
        // What was acknowledged is in the kernel's hands, which outlive kill -9: with `everysec` a slow disk holds writes back.
        config: { appendfsync: 'no', ...options.config },
      });
    },
    async kill() {
      signal('SIGKILL');
      await server?.exited;
      server = undefined;
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async close() {
      const running = server;
      server = undefined;
      await running?.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
  if (options.started !== false) await redis.start();
  return redis;
}
