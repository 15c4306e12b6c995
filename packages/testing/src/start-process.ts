import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { within } from './latch.ts';

export type StartProcessOptions = {
  /** Default: the Node that runs the test. */
  command?: string;
  args: readonly string[];
  /** The child's environment; nothing of the test's own is passed on. What is added: where Node keeps what it has compiled. */
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Runs as this user; only root may choose. */
  uid?: number;
  gid?: number;
  /** The process counts as started once it has written a line that contains or matches this. Default: at once. */
  readyLine?: string | RegExp;
  /** Default 120 s. */
  readyMs?: number;
};

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type TestProcess = {
  readonly pid: number;
  /** Everything written to standard output and error so far, line by line. */
  readonly lines: readonly string[];
  /** Resolves to the first line, past or to come, that contains or matches; rejects with the output after `withinMs` (120 s) or at the end. */
  line(wanted: string | RegExp, withinMs?: number): Promise<string>;
  readonly exited: Promise<Exit>;
  signal(name: NodeJS.Signals): void;
  /** SIGTERM, then SIGKILL after `graceMs` (10 s). Idempotent. */
  stop(graceMs?: number): Promise<Exit>;
  /** kill -9; resolves when it is gone. */
  kill(): Promise<Exit>;
};

// A start of an app from source is mostly compiling: 1.9 s of a core without this, 1.2 s with it.
const COMPILE_CACHE = join(import.meta.dirname, '../../../node_modules/.pinegate/compile-cache');

/** On a busy machine a process needs its time. */
const LINE_MS = 120_000;

const running = new Set<TestProcess>();
// A test runner that ends early must not leave processes behind.
process.once('exit', () => {
  for (const child of running) child.signal('SIGKILL');
});

/** Starts a child process with its output captured, and waits for its ready line. */
export async function startProcess(options: StartProcessOptions): Promise<TestProcess> {
  const child = spawn(options.command ?? process.execPath, options.args, {
    cwd: options.cwd,
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
  const lines: string[] = [];
  const readers = new Set<(line: string) => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      for (const read of readers) read(line);
    });
  }
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const output = () => lines.slice(-40).join('\n');
  const name = [options.command ?? 'node', ...options.args].join(' ');

  const started: TestProcess = {
    pid: child.pid ?? -1,
    lines,
    line: (wanted, withinMs = LINE_MS) => nextLine(wanted, withinMs, { lines, readers, exited, name, output }),
    exited,
    signal(signal) {
      child.kill(signal);
    },
    async stop(graceMs = 10_000) {
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), graceMs);
      return exited.finally(() => clearTimeout(kill));
    },
    async kill() {
      child.kill('SIGKILL');
      return exited;
    },
  };
  running.add(started);
  exited.finally(() => running.delete(started)).catch(() => {});
  if (options.readyLine !== undefined) {
    try {
      await started.line(options.readyLine, options.readyMs);
    } catch (error) {
      if (child.pid !== undefined) await started.kill();
      throw error;
    }
  }
  return started;
}

type Output = {
  lines: readonly string[];
  readers: Set<(line: string) => void>;
  exited: Promise<Exit>;
  name: string;
  output: () => string;
};

async function nextLine(wanted: string | RegExp, withinMs: number, from: Output): Promise<string> {
  const matches = (line: string) => (typeof wanted === 'string' ? line.includes(wanted) : wanted.test(line));
  const past = from.lines.find(matches);
  if (past !== undefined) return past;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const read = (line: string) => {
    if (matches(line)) resolve(line);
  };
  from.readers.add(read);
  from.exited.then(
    ({ code, signal }) =>
      reject(new Error(`${from.name} ended (${code ?? signal}) without ${wanted}:\n${from.output()}`)),
    reject,
  );
  const late = () => `${from.name} did not write ${wanted} within ${withinMs} ms:\n${from.output()}`;
  return within(promise, withinMs, late).finally(() => from.readers.delete(read));
}
