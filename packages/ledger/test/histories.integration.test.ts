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
