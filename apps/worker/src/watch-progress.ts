import type { Lane } from '@pinegate/access';
import type { LedgerSummary } from '@pinegate/ledger';
import type { Bells } from '@pinegate/queues';
import type { ProbeResult } from '@pinegate/runtime';

const LOOK_MS = 30_000;
// Longer than the 60 s that one blocking read of an empty lane lasts.
const STUCK_MS = 90_000;

/** A lane that this process consumes: how many of its jobs are in hand, and how many it has heard in all. */
export interface ConsumedLane {
  readonly account: string;
  readonly lane: Lane;
  readonly busy: number;
  readonly heard: number;
}

/** Whether the process makes progress, for its liveness probe. */
export interface ProgressWatch {
  /** Looks now; called every 30 s by `start`. */
  look(): Promise<void>;
  probe(): ProbeResult;
  start(): { stop(): void };
}

/**
 * A lane is stuck when chunks and jobs have waited in it for 90 s and this process, with none of them in hand, has fetched nothing. Jobs in hand are
 * progress, also while they wait for permits; lanes of accounts that are parked or paused are not among `lanes`. An event loop that was
 * held up, or a Redis that does not answer, begins the count anew.
 */
export function watchProgress(parts: {
  readonly lanes: () => readonly ConsumedLane[];
  readonly bells: Pick<Bells, 'counts'>;
  /** Chunks that wait by lane: most accounts have none, and one call for all lanes of an account says so. */
  readonly waitingChunks: (account: string) => Promise<LedgerSummary['waitingChunks']>;
  readonly monotonic: () => number;
}): ProgressWatch {
  const { lanes, bells, waitingChunks, monotonic } = parts;
  let idle = new Map<string, { readonly since: number; readonly heard: number }>();
  let lookedAt = Number.NEGATIVE_INFINITY;

  async function look(): Promise<void> {
    const now = monotonic();
    const before = now - lookedAt > 2 * LOOK_MS ? new Map<string, { since: number; heard: number }>() : idle;
    lookedAt = now;
    const after: typeof idle = new Map();
    try {
      const free = lanes().filter(({ busy }) => busy === 0);
      const accounts = [...new Set(free.map(({ account }) => account))];
      const chunks = new Map(await Promise.all(accounts.map(async (id) => [id, await waitingChunks(id)] as const)));
      for (const { account, lane, heard } of free) {
        if (chunks.get(account)?.[lane] === 0 || (await bells.counts(account, lane)).waiting === 0) continue;
        const key = `${account} ${lane}`;
        const known = before.get(key);
        after.set(key, known?.heard === heard ? known : { since: now, heard });
      }
      idle = after;
    } catch {
      // A restart of this process would not bring Redis back.
      idle = new Map();
    }
  }

  return {
    look,
    probe() {
      const stuck = [...idle].find(([, { since }]) => lookedAt - since >= STUCK_MS);
      return stuck ? { ok: false, reason: `jobs of ${stuck[0]} wait and none is fetched` } : { ok: true };
    },
    start() {
      const timer = setInterval(() => void look(), LOOK_MS);
      return { stop: () => clearInterval(timer) };
    },
  };
}
