import { LANES, type Lane } from '@pinegate/access';
import type { Redis } from '@pinegate/runtime';
import type { Queue } from 'bullmq';
import { createQueueCache } from './create-queue-cache.ts';
import { TASK_QUEUES } from './create-tasks.ts';
import { lanePrefix, sharedPrefix } from './queue-options.ts';

/** A queue for the dashboard, with the name to show. */
export interface BoardQueue {
  readonly name: string;
  /** Whose lane it is; null: a queue of all accounts. */
  readonly lane: { readonly account: string; readonly lane: Lane } | null;
  readonly queue: Queue;
}

/** Queue objects for Bull Board; the same object each time for the same queue. */
export interface BoardQueues {
  /** Queues of all accounts, then each account's lanes. */
  list(accounts: readonly string[]): readonly BoardQueue[];
  close(): Promise<void>;
}

/** @param redis the caller's to close. */
export function createBoardQueues({ redis, ns }: { readonly redis: Redis; readonly ns: string }): BoardQueues {
  const cache = createQueueCache(redis);
  return {
    list(accounts) {
      const shared = TASK_QUEUES.map((name) => ({ name, lane: null, queue: cache.queue(sharedPrefix(ns), name) }));
      const lanes = accounts.flatMap((account) =>
        LANES.map((lane) => ({
          name: `${account} · ${lane}`,
          lane: { account, lane },
          queue: cache.queue(lanePrefix(ns, account), lane),
        })),
      );
      return [...shared, ...lanes];
    },
    close: () => cache.close(),
  };
}
