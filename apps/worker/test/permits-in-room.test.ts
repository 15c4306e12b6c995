import type { Permits } from '@pinegate/budget';
import { expect, test } from 'vitest';
import { createInFlight } from '../src/in-flight.ts';
import { permitsInRoom } from '../src/permits-in-room.ts';

/** A budget of so many permits: whoever finds none waits, unless told not to. */
function budgetOf(free: number) {
  const waiting: (() => void)[] = [];
  const budget = {
    get free() {
      return free;
    },
    get waiting() {
      return waiting.length;
    },
    async acquire(
      _name: string,
      n: number,
      { maxWaitMs, signal }: { readonly maxWaitMs?: number; readonly signal?: AbortSignal },
    ): Promise<Permits | null> {
      if (free === 0 && maxWaitMs === 0) return null;
      while (free === 0) {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          signal?.addEventListener('abort', () => resolve());
        });
        if (signal?.aborted) return null;
      }
      let left = Math.min(n, free);
      free -= left;
      return {
        count: left,
        start: () => {
          throw new Error('nothing is started here');
        },
        release() {
          free += left;
          left = 0;
        },
      };
    },
    grow(by: number) {
      free += by;
      for (const wake of waiting.splice(0)) wake();
    },
  };
  return budget;
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const never = new AbortController().signal;
const bulk = { bulk: true, signal: never };

/** One who waits for permits, with all of the room free. */
async function waitForPermits() {
  const room = createInFlight(80).open();
  const budget = budgetOf(0);
  const waiting = permitsInRoom(budget, room, 'grant', 50, bulk);
  await expect.poll(() => budget.waiting).toBe(1);
  return { room, budget, waiting };
}

test('as many permits as there are, and room for each', async () => {
  const room = createInFlight(80).open();
  const got = await permitsInRoom(budgetOf(5), room, 'grant', 50, bulk);
  expect(got?.permits.count).toBe(5);
  expect(got?.places).toBe(5);
  expect(room.enterNow(100, true)).toBe(70);
});

test('who waits for room has no permits in hand', async () => {
  const room = createInFlight(80).open();
  room.enterNow(75, true);
  const budget = budgetOf(20);
  const waiting = permitsInRoom(budget, room, 'grant', 50, bulk);
  await turn();
  expect(budget.free).toBe(20);
  room.leave(30, true);
  expect((await waiting)?.places).toBe(20);
});

test('who waits for permits has no room in hand', async () => {
  const { room, budget, waiting } = await waitForPermits();
  expect(room.enterNow(100, true)).toBe(75);
  room.leave(75, true);
  budget.grow(10);
  const got = await waiting;
  expect([got?.permits.count, got?.places]).toEqual([10, 10]);
});

test('where others have filled the room meanwhile the permits go back, and it waits again', async () => {
  const { room, budget, waiting } = await waitForPermits();
  room.enterNow(75, true);
  budget.grow(10);
  await turn();
  expect(budget.free).toBe(10);
  room.leave(4, true);
  const got = await waiting;
  expect([got?.permits.count, got?.places, budget.free]).toEqual([4, 4, 6]);
});

test('where there is room for some of the permits only, it says so', async () => {
  const { room, budget, waiting } = await waitForPermits();
  room.enterNow(70, true);
  budget.grow(10);
  const got = await waiting;
  expect([got?.permits.count, got?.places]).toEqual([10, 5]);
});

test.each(['room', 'permits'])('who is aborted while waiting for %s holds nothing', async (lacking) => {
  const room = createInFlight(80).open();
  if (lacking === 'room') room.enterNow(75, true);
  const budget = budgetOf(lacking === 'room' ? 20 : 0);
  const abort = new AbortController();
  const waiting = permitsInRoom(budget, room, 'grant', 50, { bulk: true, signal: abort.signal });
  if (lacking === 'permits') await expect.poll(() => budget.waiting).toBe(1);
  abort.abort();
  expect(await waiting).toBeNull();
  expect(budget.free).toBe(lacking === 'room' ? 20 : 0);
  if (lacking === 'room') room.leave(75, true);
  expect(room.enterNow(100, true)).toBe(75);
});
