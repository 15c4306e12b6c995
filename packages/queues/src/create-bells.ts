import type { Lane } from '@pinegate/access';
import type { Redis } from '@pinegate/runtime';
import { createQueueCache } from './create-queue-cache.ts';
import { lanePrefix } from './queue-options.ts';

const BULK = 500;
const BELL = { name: 'bell', data: {} };

/** What a job of a lane is doing; `gone`: the queue does not know it. */
export type BellState = 'waiting' | 'active' | 'delayed' | 'completed' | 'failed' | 'gone';

/** Jobs of a lane by state. */
export interface LaneCounts {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly completed: number;
  readonly failed: number;
}

/** Rings lanes, and looks at what became of the bells. */
export interface Bells {
  /** Adds `count` bare bells: each says that the lane has one more chunk. Rejects within a second when Redis is away; part of them may be there. */
  ring(account: string, lane: Lane, count: number): Promise<void>;
  counts(account: string, lane: Lane): Promise<LaneCounts>;
  states(account: string, lane: Lane, jobs: readonly string[]): Promise<readonly BellState[]>;
  /** Closes the queues, not the connection. */
  close(): Promise<void>;
}

const STATES: Readonly<Record<string, BellState>> = {
  waiting: 'waiting',
  prioritized: 'waiting',
  active: 'active',
  delayed: 'delayed',
  completed: 'completed',
  failed: 'failed',
};

/** Opens the producer of bells. @param redis a `producer` (api) or `shared` (worker) connection, the caller's to close. */
export function createBells({ redis, ns }: { readonly redis: Redis; readonly ns: string }): Bells {
  const cache = createQueueCache(redis);
  const laneQueue = (account: string, lane: Lane) => cache.queue(lanePrefix(ns, account), lane);

  return {
    async ring(account, lane, count) {
      const queue = laneQueue(account, lane);
      for (let left = count; left > 0; left -= BULK) {
        await queue.addBulk(new Array(Math.min(left, BULK)).fill(BELL));
      }
    },
    async counts(account, lane) {
      const counts = await laneQueue(account, lane).getJobCounts('wait', 'active', 'delayed', 'completed', 'failed');
      const { wait = 0, active = 0, delayed = 0, completed = 0, failed = 0 } = counts;
      return { waiting: wait, active, delayed, completed, failed };
    },
    async states(account, lane, jobs) {
      const queue = laneQueue(account, lane);
      const found = await Promise.all(jobs.map((job) => queue.getJobState(job)));
      return found.map((state) => STATES[state] ?? 'gone');
    },
    close: () => cache.close(),
  };
}
