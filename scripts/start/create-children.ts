import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Lifecycle } from '@pinegate/runtime';
import { StartProblem } from './start-problem.ts';

/** One process of the demo. */
export interface ChildPlan {
  readonly name: string;
  readonly main: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Answers 200 once the process may be used. */
  readonly ready: string;
  /** The address to tell. */
  readonly shows: string;
}

export interface Children {
  /** Resolves when the process is ready. Errors: `StartProblem` with its last lines when it ends before, or takes too long. */
  start(plan: ChildPlan): Promise<void>;
  /** Rejects with a `StartProblem` as soon as a process ends unasked. */
  readonly failed: Promise<never>;
}

const READY_MS = 30_000;
const LOOK_MS = 50;
const LAST_LINES = 12;

// Standard input is a pipe that only this process holds: it ends when this process does, even by kill -9, and the
// watcher then ends the child, so that no orphan keeps a port. `exec` keeps the pid that of the child itself.
const WATCHED = `exec 3<&0; self=$$
( ( cat <&3 >/dev/null; kill -TERM $self ) >/dev/null 2>&1 & )
exec "$@" 3<&- </dev/null`;

/** Processes in sessions of their own, so that Ctrl-C reaches them in order and from here only; each logs to `<dir>/<name>.log`. */
export function createChildren(dir: string, lifecycle: Lifecycle, say: (line: string) => void): Children {
  mkdirSync(dir, { recursive: true });
  let fail: (problem: StartProblem) => void = () => {};
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  // Awaited later than it may reject.
  failed.catch(() => {});

  async function start(plan: ChildPlan): Promise<void> {
    // Closing has begun while something before this was awaited.
    if (lifecycle.closing.aborted) throw new StartProblem('stopped');
    const child = spawn('/bin/sh', ['-c', WATCHED, 'sh', process.execPath, plan.main], {
      env: plan.env,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const file = join(dir, `${plan.name.replace(' ', '-')}.log`);
    const lines = keepLines(child, file);
    const ended = new Promise<void>((resolve) => {
      child.once('close', () => resolve());
      child.once('error', () => resolve());
    });
    child.stdin.on('error', () => {});
    lifecycle.onClose(plan.name, (deadline) => stop(child, ended, deadline));
    void ended.then(() => {
      child.stdin.destroy();
      if (lifecycle.closing.aborted) return;
      const how = child.signalCode === null ? `with code ${child.exitCode}` : `by ${child.signalCode}`;
      const told = lines.length > 0 ? `; its last lines:\n  ${lines.join('\n  ')}` : '';
      fail(new StartProblem(`${plan.name} ended ${how}${told}\nAll of its log: ${file}`));
    });
    await Promise.race([untilReady(plan, ended), failed]);
    say(`${plan.name.padEnd(11)} ${plan.shows}`);
  }

  return { start, failed };
}

function keepLines(child: ChildProcess, file: string): string[] {
  const log = createWriteStream(file);
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      log.write(`${line}\n`);
      last.push(line);
      if (last.length > LAST_LINES) last.shift();
    });
  }
  child.once('close', () => log.end());
  return last;
}

async function untilReady(plan: ChildPlan, ended: Promise<void>): Promise<void> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  const deadline = performance.now() + READY_MS;
  while (!over) {
    const answer = await fetch(plan.ready).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    if (performance.now() > deadline) {
      throw new StartProblem(`${plan.name} was not ready within ${READY_MS / 1_000} s; see its log in .data/logs.`);
    }
    await delay(LOOK_MS);
  }
  // The problem is told by `failed`, with the last lines.
  await new Promise(() => {});
}

async function stop(child: ChildProcess, ended: Promise<void>, deadline: AbortSignal): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const kill = () => void child.kill('SIGKILL');
  deadline.addEventListener('abort', kill);
  child.kill('SIGTERM');
  if (deadline.aborted) kill();
  await ended;
  deadline.removeEventListener('abort', kill);
}
