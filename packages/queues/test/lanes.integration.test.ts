import { closeRedis, freePort, openRedis, type Redis, redisReady } from '@pinegate/runtime';
import { createLatch, randomNamespace, startTestRedis } from '@pinegate/testing';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import {
  type Bell,
  type BellHandler,
  type Bells,
  createBells,
  createLaneConsumer,
  type LaneConsumer,
} from '../src/index.ts';

// No lock ends while this process stands still: its job would be heard twice.
const TIMES = { lockDuration: 60_000, stalledInterval: 60_000, drainDelay: 1 };
const ACCOUNT = 'a';

let redis: Redis;
let bells: Bells;
let ns: string;
const consumers: LaneConsumer[] = [];

beforeEach(async () => {
  redis = openRedis(inject('redisUrl'), 'shared');
  await redisReady(redis);
  ns = randomNamespace();
  bells = createBells({ redis, ns });
});
afterEach(async () => {
  await Promise.all(consumers.splice(0).map((c) => c.stop(AbortSignal.abort())));
  await bells.close();
  await closeRedis(redis);
});

function consume(
  handler: BellHandler,
  events: { failed?: (bell: Bell, error: Error) => void } = {},
  client = redis,
): LaneConsumer {
  const consumer = createLaneConsumer({
    ns,
    account: ACCOUNT,
    lane: 'grant',
    redis: client,
    concurrency: 4,
    handler,
    events: { fetched() {}, failed() {}, stalled() {}, ...events },
    times: TIMES,
  });
  consumers.push(consumer);
  consumer.start();
  return consumer;
}

/** Resolves when the lane's counts are as wanted: what a consumer answers is written behind the handler's back. */
async function countsBecome(wanted: Partial<Awaited<ReturnType<Bells['counts']>>>) {
  for (;;) {
    const counts = await bells.counts(ACCOUNT, 'grant');
    if (Object.entries(wanted).every(([state, n]) => counts[state as 'waiting'] === n)) return counts;
  }
}

test('as many bells are heard as were rung, each once', async () => {
  await bells.ring(ACCOUNT, 'grant', 1203);
  const heard = new Set<string>();
  const all = createLatch('all bells');
  consume(async ({ job }) => {
    heard.add(job);
    if (heard.size === 1203) all.open(undefined);
    return { result: 'nothing' };
  });
  await all.wait(60_000);
  expect(await countsBecome({ waiting: 0, active: 0 })).toMatchObject({ failed: 0, delayed: 0 });
});

test('a job carries nothing, and its return value is the report', async () => {
  await bells.ring(ACCOUNT, 'grant', 1);
  consume(async () => ({ result: 'done', report: { script: 'S', keys: 2 } }));
  await countsBecome({ completed: 1 });
  const job = await redis.hgetall(`{${ns}:${ACCOUNT}}:grant:1`);
  expect(job.data).toBe('{}');
  expect(JSON.parse(job.returnvalue ?? '')).toEqual({ script: 'S', keys: 2 });
  expect(await bells.states(ACCOUNT, 'grant', ['1', '77'])).toEqual(['completed', 'gone']);
});

test('stopping hands the job over to another consumer at once, and spends no attempt', async () => {
  await bells.ring(ACCOUNT, 'grant', 1);
  const begun = createLatch('the first consumer has it');
  const first = consume(async (_bell, signal) => {
    begun.open(undefined);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    return { result: 'hand-over' };
  });
  await begun.wait();
  await first.stop(AbortSignal.abort());
  const taken = createLatch<string>('the second consumer has it');
  consume(async ({ job }) => {
    taken.open(job);
    return { result: 'nothing' };
  });
  expect(await taken.wait()).toBe('1');
  await countsBecome({ completed: 1 });
  const { atm = '0' } = await redis.hgetall(`{${ns}:${ACCOUNT}}:grant:1`);
  expect(Number(atm)).toBeLessThanOrEqual(1);
});

test('a job that is to come later waits, and spends no attempt', async () => {
  await bells.ring(ACCOUNT, 'grant', 1);
  consume(async () => ({ result: 'later', delayMs: 60_000 }));
  await countsBecome({ delayed: 1, active: 0 });
  expect((await redis.hgetall(`{${ns}:${ACCOUNT}}:grant:1`)).atm ?? '0').toBe('0');
});

test('a handler that throws has its job run again', async () => {
  await bells.ring(ACCOUNT, 'grant', 1);
  const failed = createLatch<string>('a failure was told');
  let runs = 0;
  consume(
    async () => {
      runs += 1;
      if (runs === 1) throw new Error('once');
      return { result: 'nothing' };
    },
    { failed: (_bell, error) => failed.open(error.message) },
  );
  expect(await failed.wait()).toBe('once');
  await countsBecome({ completed: 1, failed: 0 });
  expect(runs).toBe(2);
});

test('a paused consumer fetches nothing until it is resumed', async () => {
  const heard = createLatch('a bell');
  const consumer = consume(async () => {
    heard.open(undefined);
    return { result: 'nothing' };
  });
  await consumer.pause();
  await bells.ring(ACCOUNT, 'grant', 1);
  expect(await bells.counts(ACCOUNT, 'grant')).toMatchObject({ waiting: 1, active: 0 });
  consumer.resume();
  await heard.wait();
});

test('ringing while Redis is away fails at once', async () => {
  const away = openRedis(`redis://127.0.0.1:${await freePort()}`, 'producer');
  const mute = createBells({ redis: away, ns });
  await expect(mute.ring(ACCOUNT, 'grant', 1)).rejects.toThrow();
  await mute.close();
  await closeRedis(away);
});

test('starting and stopping may race, and leave no connection', async () => {
  // Of its own: other files come and go on the one of all tests.
  const server = await startTestRedis({ appendOnly: false });
  const own = openRedis(server.url, 'shared');
  await redisReady(own);
  const connections = async () =>
    String(await own.client('LIST'))
      .trim()
      .split('\n').length;
  const before = await connections();
  for (let i = 0; i < 20; i++) {
    const consumer = consume(async () => ({ result: 'nothing' }), {}, own);
    const stops = [consumer.stop(AbortSignal.abort()), consumer.stop(AbortSignal.abort())];
    consumer.start();
    await Promise.all(stops);
  }
  consumers.length = 0;
  while ((await connections()) > before) await new Promise((resolve) => setImmediate(resolve));
  expect(await connections()).toBeLessThanOrEqual(before);
  await closeRedis(own);
  await server.close();
});

test('stopping ends soon after its deadline though a handler hears no signal', async () => {
  const heard = createLatch('heard');
  const never = createLatch('never');
  const consumer = consume(async () => {
    heard.open();
    await never.wait(60_000);
    return { result: 'nothing' };
  });
  await bells.ring(ACCOUNT, 'grant', 1);
  await heard.wait();
  await consumer.stop(AbortSignal.abort());
  never.open();
});

test('a failed job keeps the kind of its error and no word of its message', async () => {
  const failed = createLatch<Error>('failed');
  consume(
    async () => {
      throw Object.assign(new TypeError('sessionid=canary'), { code: 'BROKEN' });
    },
    { failed: (_bell, error) => failed.open(error) },
  );
  await bells.ring(ACCOUNT, 'grant', 1);
  expect((await failed.wait()).message).toBe('sessionid=canary');
  await countsBecome({ active: 0 });
  const [job] = (await redis.keys(`{${ns}*:grant:1`)) as [string];
  const { failedReason, stacktrace } = await redis.hgetall(job);
  expect(failedReason).toBe('TypeError BROKEN');
  expect(stacktrace).not.toContain('canary');
});
