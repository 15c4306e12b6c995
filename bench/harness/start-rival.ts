import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cookiesOf, type Stack } from '../../tests/stack/start-stack.ts';
import type { RivalResult, RivalSetup, RivalTask } from '../rivals/rival.ts';

const MAIN = new URL('../rivals/main.ts', import.meta.url);

const running = new Set<ChildProcess>();
// Whoever ends the bench ends them too.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A rival that runs in processes of its own. */
export interface RunningRival {
  readonly pids: readonly number[];
  /** The first process runs the task; the others, where there are any, help it. */
  run(task: RivalTask): Promise<RivalResult>;
  stop(): Promise<void>;
}

/** Where a stack's account is for a rival. */
export function rivalSetup(stack: Stack, account: string, script: string): Omit<RivalSetup, 'rival' | 'inFlight'> {
  return {
    baseUrl: stack.upstream.url,
    ca: readFileSync(stack.upstream.caFile, 'utf8'),
    redisUrl: stack.redis.url,
    script,
    ...cookiesOf(account),
  };
}

/** Starts a rival. @param processes how many of it */
export async function startRival(setup: RivalSetup, processes = 1): Promise<RunningRival> {
  const children = await Promise.all(Array.from({ length: processes }, () => startOne(setup)));
  return {
    pids: children.map(({ pid }) => pid ?? 0),
    async run(task) {
      const [first] = children;
      if (!first) throw new RangeError('a rival has at least one process');
      return (await ask(first, task)) as RivalResult;
    },
    async stop() {
      await Promise.all(children.map(stopOne));
    },
  };
}

async function startOne(setup: RivalSetup): Promise<ChildProcess> {
  const child = fork(MAIN, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  running.add(child);
  const { ready } = (await ask(child, setup)) as { readonly ready: boolean };
  if (!ready) throw new RangeError(`there is no rival ${setup.rival}`);
  return child;
}

function ask(child: ChildProcess, message: RivalSetup | RivalTask): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const ended = (code: number | null) => reject(new Error(`a rival ended with ${code}`));
  child.once('message', resolve);
  child.once('exit', ended);
  child.send(message);
  return promise.finally(() => child.off('message', resolve).off('exit', ended));
}

async function stopOne(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.disconnect();
  const kill = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exited;
  clearTimeout(kill);
  running.delete(child);
}
