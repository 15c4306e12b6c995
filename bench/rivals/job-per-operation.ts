import { setTimeout as pause } from 'node:timers/promises';
import { createScripts } from '@pinegate/runtime';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { openGrantPool } from './grant-pool.ts';
import { EXPIRES, type Rival, type RivalSetup, type RivalTask } from './rival.ts';

const CONCURRENCY = 100;
const BULK = 500;
const LOOK_MS = 100;
const KEYS = ['{rival}:records', '{rival}:batch'];

interface Payload {
  readonly username: string;
  /** Where there is a ledger. */
  readonly version?: number;
}

/**
 * The usual build: one operation a BullMQ job, the call in the job's handler. `ledger`: the same with a record of each access that a script
 * writes when it is accepted, and one that settles it and counts its outcome; still without claims, order, permits or retries by state.
 * Every process of it consumes; the one that is told to run also adds the jobs, and looks when none is left.
 */
export function openJobPerOperation(setup: RivalSetup, ledger: boolean): Rival {
  // As in bullmq's manual, without what Pinegate does to its own connections.
  const redis = new Redis(setup.redisUrl, { maxRetriesPerRequest: null });
  const pool = openGrantPool(setup);
  const scripts = createScripts(new URL('./lua/', import.meta.url));
  const name = ledger ? 'with-ledger' : 'plain';
  const queue = new Queue<Payload>(name, { connection: redis, prefix: '{rival}' });
  const worker = new Worker<Payload>(
    name,
    async ({ data: { username, version } }) => {
      await pool.add(username);
      if (version !== undefined) await scripts.run(redis, 'settle', KEYS, [username, version, 'granted', EXPIRES]);
      return 'granted';
    },
    { connection: redis, prefix: '{rival}', concurrency: CONCURRENCY, removeOnComplete: { count: 200 } },
  );

  async function add(usernames: readonly string[]): Promise<void> {
    const versions = ledger
      ? ((await scripts.run(redis, 'record', KEYS, [EXPIRES, ...usernames])) as number[])
      : undefined;
    const data = usernames.map((username, i): Payload => {
      const version = versions?.[i];
      return version === undefined ? { username } : { username, version };
    });
    await queue.addBulk(data.map((each) => ({ name: 'grant', data: each, opts: { attempts: 3 } })));
  }

  async function left(): Promise<number> {
    const counts = await queue.getJobCounts('wait', 'active', 'delayed', 'failed');
    if ((counts.failed ?? 0) > 0) throw new Error(`${counts.failed} jobs failed`);
    return (counts.wait ?? 0) + (counts.active ?? 0) + (counts.delayed ?? 0);
  }

  return {
    async run({ names, count }: RivalTask) {
      const startedAt = performance.now();
      for (let i = 0; i < count; i += BULK) {
        await add(Array.from({ length: Math.min(BULK, count - i) }, (_, n) => `${names}_${i + n}`));
      }
      while ((await left()) > 0) await pause(LOOK_MS);
      return { done: count, ms: performance.now() - startedAt };
    },
    async close() {
      await worker.close();
      await queue.close();
      await pool.close();
      await redis.quit();
    },
  };
}
