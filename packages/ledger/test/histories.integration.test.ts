import { openRedis } from '@pinegate/runtime';
import { afterAll, expect, inject, test } from 'vitest';
import { runHistory } from './world.ts';

const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => redis.quit());

const HISTORIES = Number(process.env.PINEGATE_HISTORIES ?? 100);
const SEED = Number(process.env.PINEGATE_SEED ?? Date.now() % 1_000_000);

test(
  'every random history ends as the law says',
  async () => {
    for (let seed = SEED; seed < SEED + HISTORIES; seed += 1) {
      const wrong = await runHistory(redis, seed);
      expect(wrong, `PINEGATE_SEED=${seed}`).toBeNull();
    }
  },
  HISTORIES * 2_000,
);

const CALLER_RULES = [
  ['R2', 'an extension counts from its own accept time'],
  ['R15', 'exists is followed by modify'],
  ['R16', 'a refused modify is followed by add'],
  ['R22', 'enough of the lease is left right before sending'],
  ['R23', 'somebody sweeps'],
  ['R31', 'a chunk is closed only when every key got a definite answer'],
] as const;

// From one seed on, so that the same histories show it each time.
test.each(CALLER_RULES)(
  '%s: histories show it when a caller does not see to it that %s',
  async (rule) => {
    const dropped = new Set([rule]);
    let wrong: string | null = null;
    for (let seed = 1; seed <= 150 && wrong === null; seed += 1) wrong = await runHistory(redis, seed, { dropped });
    expect(wrong).not.toBeNull();
  },
  60_000,
);
