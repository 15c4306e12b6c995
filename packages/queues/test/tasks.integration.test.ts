import { closeRedis, openRedis, type Redis, redisReady } from '@pinegate/runtime';
import { createLatch, randomNamespace } from '@pinegate/testing';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { createTaskConsumer, createTasks, type TaskConsumer, type TaskHandlers, type Tasks } from '../src/index.ts';

const DONE = { result: 'done' } as const;

let redis: Redis;
let tasks: Tasks;
let ns: string;
let consumer: TaskConsumer | undefined;

beforeEach(async () => {
  redis = openRedis(inject('redisUrl'), 'shared');
  await redisReady(redis);
  ns = randomNamespace();
  tasks = createTasks({ redis, ns });
});
afterEach(async () => {
  await consumer?.stop(new AbortController().signal);
  consumer = undefined;
  await tasks.close();
  await closeRedis(redis);
});

function consume(handlers: Partial<TaskHandlers>, onFailed: (queue: string, error: Error) => void = () => {}) {
  const none = async () => DONE;
  const all = { 'check-session': none, refresh: none, 'look-up': none, ...handlers };
  consumer = createTaskConsumer({ redis, ns, concurrency: 2, handlers: all, events: { failed: onFailed } });
}

test('each kind reaches its own handler with its payload', async () => {
  const looked = createLatch<string>('look-up');
  const checked = createLatch<string>('check-session');
  consume({
    'look-up': async ({ username }) => {
      looked.open(username);
      return DONE;
    },
    'check-session': async ({ account }) => {
      checked.open(account);
      return DONE;
    },
  });
  await tasks.put('look-up', [{ username: 'Joe' }]);
  await tasks.put('check-session', [{ account: 'a' }]);
  expect([await looked.wait(), await checked.wait()]).toEqual(['Joe', 'a']);
});

test('a payload that is not what it says is refused before it is put on', async () => {
  await expect(tasks.put('look-up', [{ username: 'no spaces' }])).rejects.toThrow();
  await expect(tasks.put('check-session', [{ account: 'a', cookie: 'x' } as { account: string }])).rejects.toThrow();
});

test('a kind that this version does not know fails, is counted, and waits for a newer process', async () => {
  const failed = createLatch<[string, Error]>('told');
  consume({}, (queue, error) => failed.open([queue, error]));
  const { Queue } = await import('bullmq');
  const queue = new Queue('validate', { connection: redis, prefix: `{${ns}}`, skipVersionCheck: true });
  await queue.add('from-the-future', {}, { attempts: 3, backoff: 60_000 });
  const [name, error] = await failed.wait();
  expect([name, (error as { code?: string }).code]).toEqual(['validate', 'UNKNOWN_TASK']);
  while ((await queue.getDelayedCount()) !== 1) await new Promise((resolve) => setImmediate(resolve));
  await queue.close();
});

test('a task that is put off runs again without having spent an attempt', async () => {
  const again = createLatch<number>('the second run');
  let runs = 0;
  consume({
    refresh: async () => {
      runs += 1;
      if (runs === 2) again.open(runs);
      return runs === 1 ? { result: 'later', delayMs: 10 } : DONE;
    },
  });
  await tasks.put('refresh', [{ account: 'a', refresh: 'a.1' }]);
  expect(await again.wait()).toBe(2);
});

test('a consumer that stops tells its handlers, and another one goes on with what they hand over', async () => {
  const begun = createLatch('begun');
  consume({
    refresh: async (_task, signal) => {
      const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      begun.open();
      await ended;
      return { result: 'hand-over' };
    },
  });
  await tasks.put('refresh', [{ account: 'a', refresh: 'a.1' }]);
  await begun.wait();
  await consumer?.stop(new AbortController().signal);
  const taken = createLatch<string>('the other consumer');
  consume({
    refresh: async ({ refresh }) => {
      taken.open(refresh);
      return DONE;
    },
  });
  expect(await taken.wait()).toBe('a.1');
});
