import { setTimeout as delay } from 'node:timers/promises';
import { redisProblem } from '../redis-failure.ts';
import type { BatchView } from './read-batches.ts';

const EVERY_MS = 500;

/** One server-sent event: the whole batch, and an id that names this state of it. */
export interface BatchEvent {
  readonly id: string;
  readonly event: 'progress' | 'done';
  readonly data: BatchView;
}

/**
 * The states of a batch as they follow one another, at most two a second, until it is settled or gone.
 * @param lastId id of the last event that the client has seen: that state is not sent again.
 */
export async function* batchEvents(
  read: () => Promise<BatchView | null>,
  lastId: string | null,
  signal: AbortSignal,
): AsyncGenerator<BatchEvent, void, undefined> {
  let seen = lastId;
  for (; !signal.aborted; await delay(EVERY_MS, undefined, { signal }).catch(() => {})) {
    let data: BatchView | null;
    try {
      data = await read();
    } catch (error) {
      // The stream outlives an outage of Redis.
      if (redisProblem(error) === null) throw error;
      continue;
    }
    if (data === null) return;
    const { state, total, rejected, pending } = data;
    const id = `${state}-${total}-${rejected}-${pending}-${data.outcomes.failed}`;
    if (state === 'done' || (state === 'cancelled' && pending === 0)) {
      yield { id, event: 'done', data };
      return;
    }
    if (id !== seen) yield { id, event: 'progress', data };
    seen = id;
  }
}
