import { afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { type Budget, createBudgetReader, type PermittedRequest } from '../src/index.ts';
import { collect, openTestAccount, START, settings, type TestAccount } from './test-account.ts';

let account: TestAccount;
beforeEach(async () => {
  account = await openTestAccount(inject('redisUrl'));
});
afterEach(() => account.close());

const single = { bulk: false };
const bulk = { bulk: true };
const capped = (maxInFlight: number) => settings({}, { maxInFlight });

/** Requests that never stop: each that ends is followed by the next. */
function load(budget: Budget, options = bulk) {
  const running: PermittedRequest[] = [];
  const next = async (): Promise<void> => {
    const permits = await budget.acquire('grant', 50, options);
    for (let i = 0; i < (permits?.count ?? 0); i++) running.push(permits?.start() as PermittedRequest);
    if (permits) await next();
  };
  void next();
  return {
    get inFlight() {
      return running.length;
    },
    end(n: number) {
      for (const request of running.splice(0, n)) request.finish('ok');
    },
  };
}

test('all workers together have no more in flight than the cap, and bulk an eighth less', async () => {
  const first = load(account.worker('w1', capped(24)));
  const second = load(account.worker('w2', capped(24)));
  await account.settle();
  expect(first.inFlight + second.inFlight).toBe(21);
  const singles = load(account.worker('w3', capped(24)), single);
  await account.settle();
  expect(singles.inFlight).toBe(3);
  expect(first.inFlight + second.inFlight).toBe(21);
});

test('a slot that falls free goes to the next one here without a call to Redis', async () => {
  const requests = load(account.worker('w1', capped(24)));
  await account.settle();
  const before = await account.redis.hget(`${account.key}:slots`, 'w1');
  requests.end(3);
  await account.redis.ping();
  expect(requests.inFlight).toBe(21);
  expect(await account.redis.hget(`${account.key}:slots`, 'w1')).toBe(before);
});

test('where requests take no time to speak of, bulk has an eighth of the slots at a time, and singles each one', async () => {
  const bulkRequests = load(account.worker('w1', capped(36)));
  await account.settle();
  expect(bulkRequests.inFlight).toBe(31);
  bulkRequests.end(2);
  await account.settle();
  expect(bulkRequests.inFlight).toBe(29);
  expect(account.timers).toBeLessThan(3);
  bulkRequests.end(1);
  await account.settle();
  expect(bulkRequests.inFlight).toBe(31);
  const singles = load(account.worker('w2', capped(36)), single);
  await account.settle();
  const before = singles.inFlight;
  singles.end(1);
  await account.settle();
  expect(singles.inFlight).toBe(before);
});

test('slots that fall free in one turn of the event loop are handed out together', async () => {
  const budget = account.worker('w1', capped(3));
  const first = budget.acquire('grant', 3, single);
  await account.settle();
  const permits = await first;
  const requests = Array.from({ length: permits?.count ?? 0 }, () => permits?.start());
  expect(requests.length).toBe(3);
  const next = budget.acquire('grant', 3, single);
  for (const request of requests) request?.finish('ok');
  expect((await next)?.count).toBe(3);
});

test('workers share the cap fairly as requests end, and one that stops leaves its part to the others', async () => {
  const workers = ['w1', 'w2', 'w3', 'w4'].map((name) => account.worker(name, capped(24)));
  const loads = workers.map((worker) => load(worker));
  const run = async (times: number) => {
    for (let i = 0; i < times; i++) {
      for (const l of loads) l.end(Math.ceil(l.inFlight / 3));
      await account.settle();
      await account.pass(50);
    }
  };
  await account.settle();
  expect(loads.map((l) => l.inFlight)).toEqual([21, 0, 0, 0]);
  await run(20);
  expect(loads.map((l) => l.inFlight).sort()).toEqual([5, 5, 5, 6]);
  await workers[3]?.close();
  loads.pop()?.end(6);
  await account.settle();
  await run(20);
  expect(loads.map((l) => l.inFlight)).toEqual([7, 7, 7]);
});

test('slots of a worker that died are free when their lease ends', async () => {
  await account.redis.hset(`${account.key}:slots`, 'dead', `0 7 0 7 ${START + 15_000} 7`);
  const alive = collect(account, account.worker('alive', capped(8)).acquire('grant', 7, bulk));
  await account.settle();
  await account.pass(14_000);
  expect(alive.permits).toBeUndefined();
  await account.pass(1100);
  expect(alive.permits?.count).toBe(7);
});

test('what is in flight can be read without taking part', async () => {
  const budget = account.worker('w1', capped(24));
  const requests = load(budget);
  await account.settle();
  requests.end(2);
  await account.settle();
  await account.pass(100);
  expect(budget.snapshot().inFlight).toBe(21);
  const row = (await account.redis.hget(`${account.key}:slots`, 'w1')) as string;
  expect(row.split(' ').at(-1)).toBe('21');
  const reading = await createBudgetReader({ redis: account.redis, ns: account.ns }).read('a');
  expect(reading).toMatchObject({ breakerOpen: false, refused: 0, pausedMs: 0 });
});

test('a lowered cap holds once requests end', async () => {
  const budget = account.worker('w1', capped(24));
  const requests = load(budget);
  await account.settle();
  budget.configure(capped(8));
  for (let i = 0; i < 10; i++) {
    requests.end(5);
    await account.settle();
    await account.pass(50);
  }
  expect(requests.inFlight).toBe(7);
});

describe('a process that has more to do than slots', () => {
  /** Has 16 requests in flight, and as many more as may be let go ahead, after one that took so long. */
  async function full(tookMs = 1_000) {
    const budget = account.worker('w1', capped(19));
    const before = await budget.acquire('grant', 1, bulk);
    const first = before?.start();
    await account.pass(tookMs);
    first?.finish('ok');
    await account.settle();
    const sent = collect(account, budget.acquire('grant', 16, bulk));
    await account.settle();
    const running = Array.from({ length: sent.permits?.count ?? 0 }, () => sent.permits?.start() as PermittedRequest);
    const plain = collect(account, budget.acquire('grant', 1, bulk));
    await account.settle();
    expect(plain.permits).toBeUndefined();
    running.shift()?.finish('ok');
    await account.settle();
    const last = plain.permits?.start();
    if (last) running.push(last);
    const ahead = collect(account, budget.acquire('grant', 50, { ...bulk, ahead: true }));
    await account.settle();
    const late = Array.from({ length: ahead.permits?.count ?? 0 }, () => ahead.permits?.start() as PermittedRequest);
    return { budget, running, late, seen: late.map(({ ready }) => watch(ready)) };
  }

  function watch(ready: Promise<boolean> | null) {
    const seen: { got: boolean | 'waits' } = { got: 'waits' };
    void ready?.then((got) => {
      seen.got = got;
    });
    return seen;
  }

  const got = (seen: readonly { readonly got: boolean | 'waits' }[]) => seen.map((s) => s.got);

  test('lets an eighth more go ahead; each has its slot when one falls free, in the order in which they came', async () => {
    const { budget, running, late, seen } = await full();
    expect(running).toHaveLength(16);
    expect(running.every(({ ready }) => ready === null)).toBe(true);
    expect(got(seen)).toEqual(['waits', 'waits']);
    expect(budget.snapshot().inFlight).toBe(16);
    running[3]?.finish('ok');
    await account.settle();
    expect(got(seen)).toEqual([true, 'waits']);
    expect(budget.snapshot().inFlight).toBe(16);
    late[0]?.finish('ok');
    await account.settle();
    expect(got(seen)).toEqual([true, true]);
  });

  test('lets none go ahead where requests take no time to speak of', async () => {
    expect((await full(400)).late).toEqual([]);
  });

  test('one that gives up makes way for the next', async () => {
    const { budget, running, late, seen } = await full();
    late[0]?.finish('unsent');
    running[0]?.finish('ok');
    await account.settle();
    expect(got(seen)).toEqual([false, true]);
    late[1]?.finish('ok');
    for (const request of running.slice(1)) request.finish('ok');
    await account.settle();
    expect(budget.snapshot().inFlight).toBe(0);
  });

  test('a pause lets none of them go', async () => {
    const paused = await full();
    paused.running[0]?.finish('limited', { retryAfterMs: 5_000 });
    await account.settle();
    expect(got(paused.seen)).toEqual([false, false]);
  });

  test('at the end none of them goes any more', async () => {
    const { budget, running, seen } = await full();
    const closing = budget.close();
    await account.settle();
    expect(got(seen)).toEqual([false, false]);
    for (const request of running) request.finish('ok');
    await closing;
  });
});

test('a process takes no more slots than it can use, and leaves the others theirs', async () => {
  const small = load(account.worker('w1', capped(24), 6));
  await account.settle();
  expect(small.inFlight).toBe(6);
  const other = load(account.worker('w2', capped(24)));
  await account.settle();
  expect(other.inFlight).toBe(15);
});

describe('without a limit on the rate', () => {
  /** A worker that has ten requests in flight, and the slots for them. */
  async function busyWorker() {
    const budget = account.worker('w1', capped(100));
    const permits = await budget.acquire('grant', 10, bulk);
    const requests = Array.from({ length: permits?.count ?? 0 }, () => permits?.start() as PermittedRequest);
    expect(requests.length).toBe(10);
    await account.settle();
    return { budget, requests };
  }

  test('a slot that falls free is used again without asking Redis', async () => {
    const { budget, requests } = await busyWorker();
    const asked = vi.spyOn(account.redis, 'evalsha');
    for (const request of requests.splice(0, 4)) request.finish('ok');
    expect((await budget.acquire('grant', 4, bulk))?.count).toBe(4);
    expect(asked).not.toHaveBeenCalled();
    asked.mockRestore();
  });

  test('nothing is handed out once Redis may have given the slots to others', async () => {
    const { budget, requests } = await busyWorker();
    const { redis } = account;
    const held: (() => void)[] = [];
    const ask = redis.evalsha.bind(redis);
    const silent = vi
      .spyOn(redis, 'evalsha')
      .mockImplementation(
        (...args) => new Promise((resolve, reject) => held.push(() => ask(...args).then(resolve, reject))),
      );
    await account.pass(10_000);
    for (const request of requests.splice(0, 4)) request.finish('ok');
    const got = collect(account, budget.acquire('grant', 4, bulk));
    await account.settle();
    expect(got.permits).toBeUndefined();
    silent.mockRestore();
    for (const answer of held) answer();
    await account.settle();
    expect(got.permits?.count).toBe(4);
  });
});
