import { openRedis } from '@pinegate/runtime';
import { afterAll, expect, inject, test } from 'vitest';
import { runHistories, runHistory } from './world.ts';

const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => redis.quit());

const HISTORIES = Number(process.env.PINEGATE_HISTORIES ?? 100);
const SEED = Number(process.env.PINEGATE_SEED ?? Date.now() % 1_000_000);

test(
  'every random history ends as the law says',
  async () => {
    // A seed that is named here is run alone by PINEGATE_SEED=… PINEGATE_HISTORIES=1.
    expect(await runHistories(redis, SEED, HISTORIES)).toEqual([]);
  },
  HISTORIES * 2_000,
);

// Rules that only the caller can keep, each with the first history that shows it (sabotage-table.ts finds another after a change of the world).
test.each([
  ['R2', 1, 'an extension counts from its own accept time'],
  ['R15', 11, 'an add that finds the user there is followed by a modify'],
  ['R16', 19, 'a modify that finds nobody is followed by an add'],
  ['R22', 39, 'enough of the lease is left right before a request'],
  ['R23', 1, 'somebody sweeps'],
  ['R31', 7, 'a chunk is closed only when every key got a definite answer'],
])('%s: history %i goes wrong only when the caller does not keep the rule that %s', async (rule, seed) => {
  expect(await runHistory(redis, seed, { dropped: new Set([rule]) })).not.toBeNull();
  expect(await runHistory(redis, seed)).toBeNull();
});
