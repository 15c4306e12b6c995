import { setTimeout as pause } from 'node:timers/promises';
import { closeRedis, openRedis } from '@pinegate/runtime';

const LOOK_MS = 50;

/**
 * Rewrites Redis' append-only file now and waits until that is over: else the file that one side has let grow would be rewritten, on a core
 * of its own for seconds, while the next side is measured.
 */
export async function rewriteAppendOnlyFile(url: string): Promise<void> {
  const redis = openRedis(url, 'shared');
  const isBusy = async () => /^aof_rewrite_(in_progress|scheduled):1/m.test(await redis.info('persistence'));
  try {
    while (await isBusy()) await pause(LOOK_MS);
    await redis.bgrewriteaof();
    while (await isBusy()) await pause(LOOK_MS);
  } finally {
    await closeRedis(redis);
  }
}
