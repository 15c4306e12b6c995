import type { Redis } from '@pinegate/runtime';

/** Tells when single operations settle. A message can be lost: read again when the wait is over. */
export interface SettledEvents {
  /** Listens for an operation on the `settledChannel` of its account; call before it is submitted. Resolves once it listens or cannot. */
  listen(channel: string, operation: string): Promise<SettledWait>;
}

/** One operation that is listened for. */
export interface SettledWait {
  /** Resolves when the operation has settled, or after `ms`, or when `signal` aborts. */
  settled(ms: number, signal: AbortSignal): Promise<void>;
  /** Listens no more. */
  stop(): void;
}

const SUBSCRIBE_MS = 900;

/** Over a connection of its own, which stays the caller's to close. Channels stay subscribed: there is one for each account. */
export function buildSettledEvents(redis: Redis): SettledEvents {
  const waiting = new Map<string, Set<() => void>>();
  const subscriptions = new Map<string, Promise<unknown>>();

  redis.on('message', (channel: string, operation: string) => {
    for (const tell of waiting.get(`${channel} ${operation}`) ?? []) tell();
  });

  function subscribed(channel: string): Promise<unknown> {
    const known = subscriptions.get(channel) ?? redis.subscribe(channel);
    subscriptions.set(channel, known);
    known.catch(() => subscriptions.delete(channel));
    return known;
  }

  return {
    async listen(channel, operation) {
      const name = `${channel} ${operation}`;
      const { promise: told, resolve: tell } = Promise.withResolvers<void>();
      const listeners = waiting.get(name) ?? new Set();
      waiting.set(name, listeners.add(tell));
      await within(subscribed(channel), SUBSCRIBE_MS);
      return {
        settled: (ms, signal) => within(told, ms, signal),
        stop() {
          listeners.delete(tell);
          if (listeners.size === 0) waiting.delete(name);
        },
      };
    },
  };
}

// Resolves with the promise, whatever became of it, or when the time is up.
async function within(promise: Promise<unknown>, ms: number, signal?: AbortSignal): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const end = () => resolve();
  if (signal?.aborted) end();
  signal?.addEventListener('abort', end, { once: true });
  promise.then(end, end);
  await over;
  clearTimeout(timer);
  signal?.removeEventListener('abort', end);
}
