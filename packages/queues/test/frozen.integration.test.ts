import { closeRedis, openRedis, redisReady } from '@pinegate/runtime';
import { createLatch, randomNamespace, startTestRedis } from '@pinegate/testing';
import { expect, test } from 'vitest';
import { createBells, createLaneConsumer, createTaskConsumer, createTasks } from '../src/index.ts';

const DEADLINE_MS = 500;
const DONE = { result: 'done' } as const;
const NEVER_MS = 600_000;

test('with Redis frozen and work in hand, consumers end with their deadline; thawed, the work is there for others', async () => {
  const server = await startTestRedis({ appendOnly: false });
  const redis = openRedis(server.url, 'shared');
  await redisReady(redis);
  const ns = randomNamespace();
  const bells = createBells({ redis, ns });
  const tasks = createTasks({ redis, ns });
  const bell = createLatch('a bell in hand');
  const task = createLatch('a task in hand');
  const never = createLatch('never');
  const lane = createLaneConsumer({
    ns,
    account: 'a',
    lane: 'grant',
    redis,
    concurrency: 4,
    async handler() {
      bell.open();
      await never.wait(NEVER_MS);
      return DONE;
    },
    events: { fetched() {}, failed() {}, stalled() {} },
  });
  lane.start();
  const done = async () => DONE;
  const refresh = async () => {
    task.open();
    await never.wait(NEVER_MS);
    return DONE;
  };
  const handlers = { 'check-session': done, 'look-up': done, refresh };
  const consumer = createTaskConsumer({ redis, ns, concurrency: 2, handlers, events: { failed() {} } });
  await bells.ring('a', 'grant', 1);
  await tasks.put('refresh', [{ account: 'a', refresh: 'a.1' }]);
  await Promise.all([bell.wait(), task.wait()]);

  server.freeze();
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  await Promise.all([lane.stop(deadline), consumer.stop(deadline)]);
  await closeRedis(redis);
  server.thaw();
  never.open();

  const after = openRedis(server.url, 'shared');
  await redisReady(after);
  const look = createBells({ redis: after, ns });
  const { waiting, active } = await look.counts('a', 'grant');
  expect(waiting + active).toBe(1);
  await look.close();
  await closeRedis(after);
  await server.close();
});
