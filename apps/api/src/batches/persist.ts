import { setTimeout as delay } from 'node:timers/promises';
import { redisProblem } from '../redis-failure.ts';

const PATIENCE_MS = 5_000;

/**
 * Runs a step of an upload, again and again for 5 s while Redis is away: half an upload is worth more than a quick refusal. The step
 * must be one that may be repeated.
 */
export async function persist<T>(step: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 500)) {
    try {
      return await step();
    } catch (error) {
      if (redisProblem(error)?.code !== 'unavailable' || performance.now() + pauseMs > deadline) throw error;
      await delay(pauseMs);
    }
  }
}
