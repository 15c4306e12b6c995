import { setTimeout as delay } from 'node:timers/promises';
import type { MetricObject } from 'prom-client';
import { createHealthServer, type ProbeResult } from '../health-server.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import { aggregateMetrics, METRICS_TYPE } from '../metrics.ts';
import { type Child, forkChild } from './slot.ts';

export type SuperviseOptions = {
  /** Copies of this process, at least 1. */
  readonly count: number;
  /** Where the health and the metrics of all of them are served, for children that serve nothing themselves. */
  readonly health?: { readonly host: string; readonly port: number };
  readonly lifecycle: Lifecycle;
  readonly log: Logger;
  /** Pause before a child that crashed comes back: doubles from the first to the most while it crashes again. */
  readonly backoff?: { readonly firstMs: number; readonly mostMs: number };
};

const BACKOFF = { firstMs: 500, mostMs: 30_000 };
// A child that lived this long has not failed at its start.
const STEADY_MS = 60_000;
const ASK_MS = 2_000;

/**
 * Runs copies of this process: a child that crashes comes back, SIGHUP replaces all of them one after another (each new one
 * is ready before its old one stops), closing stops them in order. Resolves to the port of the health server (0
 * without one) once all are ready; rejects, with none left running, if one ends before it ever was.
 */
export async function superviseProcesses(options: SuperviseOptions): Promise<number> {
  const { count, lifecycle, log, backoff = BACKOFF } = options;
  const children = new Set<Child>();
  let failures = 0;
  let restarting = false;

  const metrics = async () => aggregateMetrics((await askAll('metrics')) as MetricObject[][]);

  /** What each child that answers in time says. */
  async function askAll(question: string): Promise<unknown[]> {
    const asked = await Promise.allSettled([...children].map(({ channel }) => channel.ask(question, ASK_MS)));
    return asked.filter((answer) => answer.status === 'fulfilled').map(({ value }) => value);
  }

  function start(): Child {
    const child = forkChild(metrics);
    const startedAt = performance.now();
    children.add(child);
    child.exited.then(({ code, signal }) => {
      // A child that was replaced or told to stop is in the set no more.
      if (!children.delete(child) || lifecycle.closing.aborted) return;
      failures = performance.now() - startedAt > STEADY_MS ? 0 : failures + 1;
      log.error({ pid: child.pid, code, signal }, 'a process ended by itself: another one takes its place');
      void comeBack(Math.min(backoff.mostMs, backoff.firstMs * 2 ** Math.min(failures - 1, 16)));
    });
    return child;
  }

  async function comeBack(afterMs: number): Promise<void> {
    await delay(Math.max(0, afterMs), undefined, { signal: lifecycle.closing }).catch(() => {});
    if (!lifecycle.closing.aborted) start();
  }

  async function stop(child: Child): Promise<void> {
    children.delete(child);
    child.signal('SIGTERM');
    await child.exited;
  }

  async function restartAll(): Promise<void> {
    for (const old of [...children]) {
      if (lifecycle.closing.aborted || !children.has(old)) continue;
      const next = start();
      try {
        await next.ready;
      } catch (err) {
        log.error({ err }, 'the rolling restart stops: a new process did not become ready; the old ones stay');
        return;
      }
      await stop(old);
      log.info({ from: old.pid, to: next.pid }, 'a process was replaced');
    }
  }

  async function probe(question: 'ready' | 'live'): Promise<ProbeResult> {
    // One that crashed is on its way back, or starting: that is no reason to restart the others.
    const started = [...children].filter((child) => child.isReady()).length;
    const expected = question === 'live' ? Math.max(1, started) : count;
    const answers = (await askAll(question)) as ProbeResult[];
    const bad = answers.find((answer) => !answer.ok);
    if (bad) return bad;
    return answers.length >= expected ? { ok: true } : { ok: false, reason: 'a process does not answer' };
  }

  const onHangup = () => {
    if (restarting) return;
    restarting = true;
    void restartAll().finally(() => {
      restarting = false;
    });
  };
  process.on('SIGHUP', onHangup);
  lifecycle.onClose('processes', async (deadline) => {
    process.off('SIGHUP', onHangup);
    const all = [...children];
    // They drain by the same deadline; what outlives it has hung.
    deadline.addEventListener('abort', () => all.forEach((child) => void child.signal('SIGKILL')), { once: true });
    await Promise.all(all.map(stop));
  });
  const { health } = options;
  const server = health
    ? await createHealthServer({
        ...health,
        ready: () => probe('ready'),
        live: () => probe('live'),
        metrics: { text: metrics, contentType: METRICS_TYPE },
        log,
      })
    : null;
  if (server) lifecycle.onClose('health', () => server.close());
  const first = Array.from({ length: count }, start);
  await Promise.all(first.map(({ ready }) => ready));
  return server?.port ?? 0;
}
