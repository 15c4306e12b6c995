import type { Redis } from '@pinegate/runtime';
import { Queue } from 'bullmq';
import { producerOptions } from './queue-options.ts';

/** Queue objects over one producer connection, made when first used. */
export interface QueueCache {
  queue(prefix: string, name: string): Queue;
  /** Closes the queues, not the connection. */
  close(): Promise<void>;
}

export function createQueueCache(redis: Redis): QueueCache {
  const queues = new Map<string, Queue>();
  return {
    queue(prefix, name) {
      const key = `${prefix}:${name}`;
      let queue = queues.get(key);
      if (!queue) {
        queue = new Queue(name, producerOptions(redis, prefix));
        // Without a listener a lost connection would end the process; the caller of each command gets its error anyway.
        queue.on('error', () => {});
        queues.set(key, queue);
      }
      return queue;
    },
    async close() {
      await Promise.allSettled([...queues.values()].map((queue) => queue.close()));
      queues.clear();
    },
  };
}
