import cluster from 'node:cluster';
import closeWithGrace from 'close-with-grace';
import type { Logger } from './logger.ts';

/** Gets a signal that aborts at the deadline: then hand back what is left and return. */
export type Closer = (deadline: AbortSignal) => Promise<unknown> | unknown;

export type Lifecycle = {
  /** Aborted when closing begins. */
  readonly closing: AbortSignal;
  /** Registers what undoes the opening on the line before. Once closing has begun, it runs at once. */
  onClose(name: string, closer: Closer): void;
  /** Runs all closers, last registered first; every further call gets the same promise. Never rejects: failures are logged. */
  close(): Promise<void>;
  /**
   * Closes on SIGTERM, SIGINT and their like and on errors nobody caught, then exits: 0, or 1 after an error. A second signal exits
   * at once. A process that is supervised leaves SIGINT and SIGHUP, which a terminal sends to the whole group, to its supervisor.
   */
  installSignals(options: { drainMs: number; ignore?: readonly ('SIGINT' | 'SIGHUP')[] }): void;
};

const GROUP_SIGNALS: readonly ('SIGINT' | 'SIGHUP')[] = ['SIGINT', 'SIGHUP'];
const DEFAULT_DRAIN_MS = 25_000;
// What the closers after a missed deadline get, all together, to let go.
const RELEASE_MS = 2_000;

/** Start and stop of one process: closers registered beside their openers, run in reverse order under one deadline. */
export function createLifecycle(log: Logger): Lifecycle {
  const closers: { name: string; closer: Closer }[] = [];
  const closing = new AbortController();
  const deadline = new AbortController();
  let drainMs = DEFAULT_DRAIN_MS;
  let failures = 0;
  let closed: Promise<void> | undefined;

  async function runCloser(name: string, closer: Closer, givenUp: Promise<'late'>): Promise<void> {
    try {
      const closed = Promise.resolve(closer(deadline.signal));
      if ((await Promise.race([closed, givenUp])) !== 'late') return;
      closed.catch(() => {});
      throw new Error(`${name} was not closed before the deadline`);
    } catch (err) {
      failures += 1;
      log.error({ closer: name, err }, 'a closer failed');
    }
  }

  async function closeAll(): Promise<void> {
    closing.abort();
    const drain = setTimeout(() => deadline.abort(), drainMs);
    let release: NodeJS.Timeout | undefined;
    const givenUp = new Promise<'late'>((resolve) => {
      release = setTimeout(() => resolve('late'), drainMs + RELEASE_MS);
    });
    // Not a for loop: an opener that was under way may register its closer meanwhile.
    for (let next = closers.pop(); next !== undefined; next = closers.pop()) {
      await runCloser(next.name, next.closer, givenUp);
    }
    clearTimeout(drain);
    clearTimeout(release);
    log.info('closed');
  }

  const lifecycle: Lifecycle = {
    closing: closing.signal,
    onClose(name, closer) {
      closers.push({ name, closer });
      if (closed !== undefined) closed = closed.then(drainLate);
    },
    close() {
      closed ??= closeAll();
      return closed;
    },
    installSignals(options) {
      drainMs = options.drainMs;
      const skip: ('SIGINT' | 'SIGHUP')[] = [...(options.ignore ?? []), ...(cluster.isWorker ? GROUP_SIGNALS : [])];
      for (const signal of skip) process.on(signal, () => {});
      closeWithGrace({ delay: drainMs + 2 * RELEASE_MS, logger: graceLog(log), skip }, async ({ signal, err }) => {
        if (err !== undefined) log.fatal({ err }, 'closing after an error that nobody caught');
        else log.info({ signal }, 'closing');
        await lifecycle.close();
        if (failures > 0) throw new Error('closed with failures');
      });
    },
  };

  // Closers registered after closeAll had emptied the list.
  async function drainLate(): Promise<void> {
    if (closers.length > 0) await closeAll();
  }

  return lifecycle;
}

function graceLog(log: Logger) {
  return { error: (problem: unknown) => log.error(problem instanceof Error ? { err: problem } : {}, String(problem)) };
}
