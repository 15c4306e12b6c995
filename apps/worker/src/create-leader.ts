import { randomUUID } from 'node:crypto';
import { createScripts, type Logger, type Redis } from '@pinegate/runtime';

const LEASE_MS = 15_000;
const RENEW_MS = 5_000;
const TICK_MS = 1_000;

/** Runs a task every second in one process of all. */
export interface Leader {
  /** Whether this process leads, as it last knew. */
  isLeading(): boolean;
  stop(): Promise<void>;
}

/**
 * Elects by a lock that expires: when the holder dies another takes over within 15 s. Two may believe to lead for a moment (one was
 * frozen); everything a leader does must stand that.
 */
export function createLeader(options: {
  readonly redis: Redis;
  readonly ns: string;
  readonly tick: () => Promise<void>;
  readonly log: Logger;
}): Leader {
  const { redis, ns, tick, log } = options;
  const scripts = createScripts(new URL('./lua/', import.meta.url));
  const key = `{${ns}}:leader`;
  const token = randomUUID();
  let leading = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  const hold = async () => (await scripts.run(redis, 'lead', [key], [token, LEASE_MS])) === 1;

  async function lead(): Promise<void> {
    leading = await hold();
    if (!leading) return;
    // A tick over many accounts may take longer than the lock lasts.
    const renewal = setInterval(() => {
      hold().catch(() => {});
    }, RENEW_MS);
    try {
      await tick();
    } finally {
      clearInterval(renewal);
    }
  }

  function schedule(): void {
    if (stopped) return;
    timer = setTimeout(() => {
      running = lead()
        .catch((err: unknown) => log.warn({ err }, 'a leader tick failed'))
        .finally(schedule);
    }, TICK_MS);
  }
  schedule();

  return {
    isLeading: () => leading && !stopped,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
      if (leading) await scripts.run(redis, 'step-down', [key], [token]).catch(() => {});
    },
  };
}
