import { randomUUID } from 'node:crypto';
import { createScripts, type Logger, type Redis, startRounds } from '@pinegate/runtime';

/** Times of the election, ms. */
export interface LeaderTimes {
  /** How long the lock lasts unless it is renewed. */
  readonly leaseMs: number;
  readonly renewMs: number;
  readonly tickMs: number;
}

const TIMES: LeaderTimes = { leaseMs: 15_000, renewMs: 5_000, tickMs: 1_000 };

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
  /** Shorter ones for tests. */
  readonly times?: LeaderTimes;
}): Leader {
  const { redis, ns, tick, log, times = TIMES } = options;
  const scripts = createScripts(new URL('./lua/', import.meta.url));
  const key = `{${ns}}:leader`;
  const token = randomUUID();
  let leading = false;
  let stopped = false;

  const hold = async () => (await scripts.run(redis, 'lead', [key], [token, times.leaseMs])) === 1;

  async function lead(): Promise<void> {
    leading = await hold();
    if (!leading) return;
    // A tick over many accounts may take longer than the lock lasts.
    const renewal = setInterval(() => {
      hold().catch(() => {});
    }, times.renewMs);
    try {
      await tick();
    } finally {
      clearInterval(renewal);
    }
  }

  const rounds = startRounds(times.tickMs, () =>
    lead().catch((err: unknown) => log.warn({ err }, 'a leader tick failed')),
  );

  return {
    isLeading: () => leading && !stopped,
    async stop() {
      stopped = true;
      await rounds.stop();
      if (leading) await scripts.run(redis, 'step-down', [key], [token]).catch(() => {});
    },
  };
}
