import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { askRedis } from './ask-redis.ts';
import { findRedisServer } from './find-redis-server.ts';
import { freePort } from './free-port.ts';
import type { Logger } from './logger.ts';
import { RedisServerError } from './redis-server-error.ts';

export type RedisServerOptions = {
  /** Where its data and log go; made if missing. One server per directory. */
  dir: string;
  /** Default: any free one. */
  port?: number;
  /**
   * Append-only file, synced every second: survives kill -9, unless a slow disk holds the file back just then. Default false: nothing is kept.
   */
  appendOnly?: boolean;
  /** Further redis.conf directives, as `{ maxmemory: '10mb' }`. */
  config?: Readonly<Record<string, string>>;
  /** Where to look for redis-server, as in PATH. Default: the usual places, then `.tools/redis/bin`. */
  path?: string;
  /** How long it may take until it answers, loading its data included. Default 60 s. */
  readyMs?: number;
  log?: Logger;
};

export type RedisServer = {
  readonly url: string;
  readonly port: number;
  /** Of redis-server itself: signals sent here reach it. */
  readonly pid: number;
  /** Resolves when the process has ended, for whatever reason. */
  readonly exited: Promise<void>;
  /** Ends it in order (data written), idempotent; kills it after 5 s. */
  stop(): Promise<void>;
};

// On a machine with too much to do half a second is not enough for an answer that is on its way.
const ANSWER_MS = 5_000;

const USUAL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin';

// Standard input is a pipe that only the parent holds: it ends when the parent does, even by kill -9, and the watcher
// then ends redis-server. `exec` keeps the pid ours to signal; the double fork keeps redis from waiting on the watcher.
const WATCHED = `exec 3<&0; self=$$
( ( cat <&3 >/dev/null; kill -TERM $self; kill -CONT $self ) >/dev/null 2>&1 & )
exec "$@" 3<&- </dev/null`;

/**
 * Starts a private redis-server on 127.0.0.1 (noeviction, no snapshots) and waits until it answers. It is a child in a
 * session of its own, so Ctrl-C does not reach it before its parent has drained, and it ends when its parent does.
 * Throws RedisServerError.
 */
export async function startRedisServer(options: RedisServerOptions): Promise<RedisServer> {
  const binary = findRedisServer(options.path ?? USUAL_PATH);
  await mkdir(options.dir, { recursive: true });
  const dir = await realpath(options.dir);
  await refuseSecondServer(dir);
  const tries = options.port === undefined ? 5 : 1;
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    try {
      return await startOn(binary, port, { ...options, dir });
    } catch (error) {
      // The free port may have been taken by somebody else meanwhile.
      const taken = error instanceof RedisServerError && error.message.includes('Address already in use');
      if (attempt >= tries || !taken) throw error;
    }
  }
}

async function startOn(binary: string, port: number, options: RedisServerOptions): Promise<RedisServer> {
  const logFile = join(options.dir, 'redis-server.log');
  await writeFile(logFile, '');
  const child = spawn('/bin/sh', ['-c', WATCHED, 'sh', binary, ...directives(port, logFile, options)], {
    cwd: options.dir,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      child.stdin?.destroy();
      resolve();
    });
    child.once('error', () => resolve());
  });
  // The watcher may have gone first; writing never happens, only closing.
  child.stdin?.on('error', () => {});
  const stop = stopper(child, exited);
  try {
    await untilReady(child, port, exited, options);
  } catch (error) {
    await stop();
    const lines = (await readFile(logFile, 'utf8').catch(() => '')).trim().split('\n').slice(-5).join('\n');
    throw new RedisServerError('redis_server_failed', `redis-server did not start on port ${port}:\n${lines}`, error);
  }
  const pid = child.pid;
  if (pid === undefined) throw new RedisServerError('redis_server_failed', 'redis-server has no process id');
  await writeFile(join(options.dir, 'port'), String(port));
  options.log?.info({ port, pid }, 'redis-server started');
  return { url: `redis://127.0.0.1:${port}`, port, pid, exited, stop };
}

function directives(port: number, logFile: string, options: RedisServerOptions): string[] {
  const settings: Record<string, string> = {
    port: String(port),
    bind: '127.0.0.1',
    dir: options.dir,
    logfile: logFile,
    daemonize: 'no',
    save: '',
    appendonly: options.appendOnly === true ? 'yes' : 'no',
    appendfsync: 'everysec',
    // Each rewriting keeps a core busy for about a second; 256 MB are read again in a few.
    'auto-aof-rewrite-min-size': '256mb',
    'maxmemory-policy': 'noeviction',
    ...options.config,
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

async function untilReady(
  child: ChildProcess,
  port: number,
  exited: Promise<void>,
  { dir, readyMs = 60_000 }: RedisServerOptions,
): Promise<void> {
  let ended = false;
  void exited.then(() => {
    ended = true;
  });
  const deadline = performance.now() + readyMs;
  while (!(await isServing(port, dir))) {
    if (ended) throw new Error(`redis-server ended with ${child.exitCode ?? child.signalCode}`);
    if (performance.now() > deadline) throw new Error(`redis-server did not answer within ${readyMs} ms`);
    await delay(20);
  }
}

/** Whether the server that keeps its data in `dir` answers on `port`, its data loaded; somebody else's does not count. */
async function isServing(port: number, dir: string): Promise<boolean> {
  const pong = await askRedis(port, 'PING', ANSWER_MS);
  if (pong?.startsWith('+PONG') !== true) return false;
  const answer = await askRedis(port, 'CONFIG GET dir', ANSWER_MS);
  return answer?.split('\r\n').includes(dir) === true;
}

function stopper(child: ChildProcess, exited: Promise<void>): () => Promise<void> {
  let stopping: Promise<void> | undefined;
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return exited;
    child.kill('SIGTERM');
    // It may be frozen by a test; a stopped process acts on SIGTERM only once it continues.
    child.kill('SIGCONT');
    const kill = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await exited;
    clearTimeout(kill);
  };
  return () => {
    stopping ??= stop();
    return stopping;
  };
}

async function refuseSecondServer(dir: string): Promise<void> {
  const port = Number(await readFile(join(dir, 'port'), 'utf8').catch(() => ''));
  if (!Number.isInteger(port) || port <= 0 || !(await isServing(port, dir))) return;
  throw new RedisServerError(
    'redis_server_running',
    `${dir} belongs to a redis-server that is running on port ${port}: stop it first, two on one append-only file destroy it.`,
  );
}
