import { expect, test } from 'vitest';
import { type ConsumedLane, watchProgress } from '../src/watch-progress.ts';

function open() {
  const lane: { -readonly [K in keyof ConsumedLane]: ConsumedLane[K] } = {
    account: 'a',
    lane: 'grant',
    busy: 0,
    heard: 5,
  };
  const world = { now: 0, waiting: 1, chunks: 1, asked: 0, away: false, lanes: [lane] };
  const watch = watchProgress({
    lanes: () => world.lanes,
    bells: {
      counts: async () => {
        world.asked += 1;
        if (world.away) throw new Error('Redis does not answer');
        return { waiting: world.waiting, active: 0, delayed: 0, completed: 0, failed: 0 };
      },
    },
    waitingChunks: async () => ({ grant: world.chunks, revoke: 0, 'grant-bulk': 0, 'revoke-bulk': 0 }),
    monotonic: () => world.now,
  });
  async function pass(looks: number, each: () => void = () => {}) {
    for (let i = 0; i < looks; i++) {
      world.now += 10_000;
      each();
      await watch.look();
    }
    return watch.probe().ok;
  }
  return { lane, world, pass };
}

test('jobs that wait for 90 s while nothing is fetched mean that the process is dead', async () => {
  const { pass } = open();
  expect(await pass(9)).toBe(true);
  expect(await pass(1)).toBe(false);
});

test('whatever is fetched, also now and then, is progress, and so is a job in hand that waits for permits', async () => {
  const { lane, pass } = open();
  expect(await pass(30, () => (lane.heard += 1))).toBe(true);
  lane.busy = 1;
  expect(await pass(30)).toBe(true);
});

test('an empty lane, one without chunks, for whose jobs nobody asks, and one of a parked account do not count', async () => {
  const { world, pass } = open();
  world.waiting = 0;
  expect(await pass(30)).toBe(true);
  world.waiting = 1;
  world.chunks = 0;
  const { asked } = world;
  expect(await pass(30)).toBe(true);
  expect(world.asked).toBe(asked);
  world.chunks = 1;
  world.lanes = [];
  expect(await pass(30)).toBe(true);
});

test('an event loop that was held up, and a Redis that does not answer, begin the count anew', async () => {
  const { world, pass } = open();
  await pass(9);
  world.now += 60_000;
  expect(await pass(5)).toBe(true);
  world.away = true;
  await pass(1);
  world.away = false;
  expect(await pass(9)).toBe(true);
  expect(await pass(1)).toBe(false);
});
