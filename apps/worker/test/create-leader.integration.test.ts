import { closeRedis, createLogger, openRedis, type Redis, redisReady } from '@pinegate/runtime';
import { createLatch, randomNamespace } from '@pinegate/testing';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { createLeader, type Leader, type LeaderTimes } from '../src/create-leader.ts';

const SHORT: LeaderTimes = { leaseMs: 400, renewMs: 100, tickMs: 10 };
const LONG_LEASE: LeaderTimes = { ...SHORT, leaseMs: 600_000 };
const log = createLogger({ app: 'test', level: 'silent' });

let ns: string;
let watcher: Redis;
const closers: (() => Promise<void>)[] = [];

beforeEach(async () => {
  ns = randomNamespace();
  watcher = openRedis(inject('redisUrl'), 'shared');
  await redisReady(watcher);
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await closeRedis(watcher);
});

/** A process that may lead, with a connection of its own. */
async function startProcess(tick: () => Promise<void>, times: LeaderTimes): Promise<{ leader: Leader; redis: Redis }> {
  const redis = openRedis(inject('redisUrl'), 'producer');
  await redisReady(redis);
  const leader = createLeader({ redis, ns, tick, log, times });
  closers.push(
    () => closeRedis(redis),
    () => leader.stop(),
  );
  return { leader, redis };
}

const holder = () => watcher.get(`{${ns}}:leader`);

test('one process leads while others are there, and when it stops another one does at once', async () => {
  const first = createLatch('the first leads');
  const second = createLatch('the second leads');
  const one = await startProcess(async () => first.open(), LONG_LEASE);
  await first.wait();
  const two = await startProcess(async () => second.open(), LONG_LEASE);
  expect([one.leader.isLeading(), two.leader.isLeading()]).toEqual([true, false]);
  await one.leader.stop();
  await second.wait();
  expect([one.leader.isLeading(), two.leader.isLeading()]).toEqual([false, true]);
});

test('when the leader dies another one leads once its lock has expired', async () => {
  const first = createLatch('the first leads');
  const second = createLatch('the second leads');
  const one = await startProcess(async () => first.open(), SHORT);
  await first.wait();
  await startProcess(async () => second.open(), SHORT);
  // Nothing of a dead process reaches Redis any more.
  one.redis.disconnect();
  await second.wait();
});

test('a leader that was frozen ends its tick beside the new one, leads no more and leaves the lock of the other', async () => {
  const begun = createLatch('the tick of the first began');
  const thawed = createLatch('the first goes on');
  const over = createLatch('the tick of the first is over');
  const second = createLatch('the second leads');
  // Renews as seldom as a frozen process does.
  const one = await startProcess(
    async () => {
      begun.open();
      await thawed.wait();
      over.open();
    },
    { ...SHORT, renewMs: 600_000 },
  );
  await begun.wait();
  // It asks for the lock no more while its tick lasts, so that nobody mends what the first does to it.
  const ended = createLatch('the tick of the second may end');
  const two = await startProcess(
    async () => {
      second.open();
      await ended.wait();
    },
    { ...LONG_LEASE, renewMs: 600_000 },
  );
  await second.wait();
  const token = await holder();
  thawed.open();
  await over.wait();
  await one.leader.stop();
  expect([await holder(), two.leader.isLeading(), one.leader.isLeading()]).toEqual([token, true, false]);
  ended.open();
});

test('a tick that takes longer than the lock lasts keeps it', async () => {
  const begun = createLatch('the tick began');
  const ended = createLatch('the tick may end');
  await startProcess(
    async () => {
      begun.open();
      await ended.wait();
    },
    { ...SHORT, leaseMs: 60_000 },
  );
  await begun.wait();
  const token = await holder();
  let others = 0;
  const another = async () => {
    others += 1;
  };
  await startProcess(another, SHORT);
  // Renewed more often than the lock could have expired.
  for (let renewals = 0, left = 0; renewals < 10; ) {
    const now = await watcher.pttl(`{${ns}}:leader`);
    if (now > left) renewals += 1;
    left = now;
  }
  expect([await holder(), others]).toEqual([token, 0]);
  ended.open();
});

test('a tick that fails is followed by the next', async () => {
  const again = createLatch('the second tick');
  let ticks = 0;
  await startProcess(async () => {
    ticks += 1;
    if (ticks === 1) throw new Error('once');
    again.open();
  }, SHORT);
  await again.wait();
});
