import { setTimeout as delay } from 'node:timers/promises';

export type WaitForOptions = {
  /** What is waited for, in the error. */
  what: string;
  /** Bound of the whole wait in ms. Default 60 s. */
  withinMs?: number;
  /** Pause between looks in ms. Default 50. */
  everyMs?: number;
  /** Errors of `look` that end the wait at once. Default: none. */
  giveUp?: (error: unknown) => boolean;
};

/**
 * Looks again and again until `look` gives something other than undefined, null or false, and resolves to it. For e2e tests
 * only, where the processes under test cannot signal. An error of `look` counts as "not yet" and is the cause of the final one.
 */
export async function waitFor<T>(
  look: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  { what, withinMs = 60_000, everyMs = 50, giveUp = () => false }: WaitForOptions,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      last = await look();
      if (last !== undefined && last !== null && last !== false) return last as T;
    } catch (error) {
      if (giveUp(error)) throw error;
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`, { cause: last });
    await delay(everyMs);
  }
}
