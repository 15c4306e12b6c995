import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { type Budget, createBudgetReader, type PermittedRequest, type RequestResult } from '../src/index.ts';
import { collect, fixed, openTestAccount, settings, type TestAccount } from './test-account.ts';

let account: TestAccount;
beforeEach(async () => {
  account = await openTestAccount(inject('redisUrl'));
});
afterEach(() => account.close());

const single = { bulk: false };
const ADAPTIVE = { start: 10, min: 0.5, max: 1000, adaptive: true };

async function use(budget: Budget, result: RequestResult, retryAfterMs: number | null = null): Promise<void> {
  const got = collect(account, budget.acquire('grant', 1, single));
  await account.settle();
  if (got.permits === undefined) await account.pass(200);
  got.permits?.start().finish(result, { retryAfterMs });
  await account.settle();
}

const state = async (budget: string) =>
  JSON.parse((await account.redis.hget(account.key, `${budget}:state`)) ?? 'null') as Record<string, number> | null;

describe('a 429', () => {
  test('pauses every worker and every budget for as long as it says', async () => {
    const [first, second] = [account.worker('w1', settings()), account.worker('w2', settings())];
    await use(first, 'limited', 5000);
    const waiting = [first.acquire('grant', 1, single), second.acquire('list', 1, single)].map((p) =>
      collect(account, p),
    );
    await account.settle();
    await account.pass(4990);
    expect(waiting.map((w) => w.permits)).toEqual([undefined, undefined]);
    expect(first.snapshot().pausedUntil).not.toBeNull();
    await account.pass(10);
    expect(waiting.map((w) => w.permits?.count)).toEqual([1, 1]);
  });

  test('of requests sent before the rate was cut does not cut it again', async () => {
    const budget = account.worker('w1', settings({ grant: ADAPTIVE }));
    const requests: (PermittedRequest | undefined)[] = [];
    for (let i = 0; i < 4; i++) {
      const got = collect(account, budget.acquire('grant', 1, single));
      await account.settle();
      await account.pass(100);
      requests.push(got.permits?.start());
    }
    await account.pass(50);
    requests[0]?.finish('limited', { retryAfterMs: 1000 });
    await account.settle();
    const after = await state('grant');
    expect(after?.rate).toBeLessThan(10);
    for (const request of requests.slice(1)) request?.finish('limited', { retryAfterMs: 1000 });
    await account.settle();
    expect((await state('grant'))?.rate).toBe(after?.rate);
    const read = createBudgetReader({ redis: account.redis, ns: account.ns }).read('a');
    expect((await read).refused).toBe(4);
  });

  test('counts once whichever worker saw it, also when two report at once', async () => {
    const both = settings({ grant: ADAPTIVE });
    const workers = [account.worker('w1', both), account.worker('w2', both)];
    const permits = workers.map((w) => collect(account, w.acquire('grant', 1, single)));
    await account.settle();
    await account.pass(100);
    for (const { permits: p } of permits) p?.start().finish('limited');
    await account.settle();
    // The first ends growth, the second is the first hit of the cycle that it began.
    expect(await state('grant')).toMatchObject({ phase: 'measure', streak: 2 });
  });
});

describe('the rate', () => {
  test('is learned by all, and known after every process has gone', async () => {
    const both = settings({ grant: ADAPTIVE });
    const first = account.worker('w1', both);
    for (let i = 0; i < 40; i++) await use(first, 'ok');
    const learned = first.snapshot().rates.grant as number;
    expect(learned).toBeGreaterThan(10);
    await first.close();
    const second = account.worker('w2', both);
    await use(second, 'ok');
    expect(second.snapshot().rates.grant).toBeCloseTo(learned, 2);
    const { rates } = await createBudgetReader({ redis: account.redis, ns: account.ns }).read('a');
    expect(rates.grant).toBeCloseTo(learned, 2);
    expect(rates.list).toBeNull();
  });

  test('does not grow where it is not used', async () => {
    const budget = account.worker('w1', settings({ grant: ADAPTIVE }));
    for (let i = 0; i < 10; i++) {
      await use(budget, 'ok');
      await account.pass(2000);
    }
    expect(budget.snapshot().rates.grant).toBe(10);
  });

  test('that is not adaptive stays', async () => {
    const budget = account.worker('w1', settings({ grant: fixed(10) }));
    for (let i = 0; i < 30; i++) await use(budget, i === 10 ? 'limited' : 'ok');
    expect(budget.snapshot().rates.grant).toBe(10);
  });

  test('follows a change of the settings', async () => {
    const budget = account.worker('w1', settings({ grant: ADAPTIVE }));
    await use(budget, 'ok');
    budget.configure(settings({ grant: { ...ADAPTIVE, max: 4 } }));
    await use(budget, 'ok');
    await use(budget, 'ok');
    expect(budget.snapshot().rates.grant).toBe(4);
    budget.configure(settings({ grant: { ...ADAPTIVE, start: null } }));
    await use(budget, 'ok');
    await use(budget, 'ok');
    expect(budget.snapshot().rates.grant).toBeNull();
  });
});

describe('the breaker', () => {
  async function fail(budget: Budget, times: number): Promise<void> {
    for (let i = 0; i < times; i++) await use(budget, i % 2 === 0 ? 'unavailable' : 'uncertain');
  }

  test('opens after five failures in a row, and all workers wait', async () => {
    const [first, second] = [account.worker('w1', settings()), account.worker('w2', settings())];
    await fail(first, 4);
    expect(first.isBreakerOpen()).toBe(false);
    await fail(first, 1);
    expect(first.isBreakerOpen()).toBe(true);
    const waiting = collect(account, second.acquire('list', 1, single));
    await account.settle();
    await account.pass(700);
    expect(waiting.permits).toBeUndefined();
    expect(second.snapshot().breaker).toBe('open');
  });

  test('opens at half of the last twenty', async () => {
    const budget = account.worker('w1', settings());
    for (let i = 0; i < 19; i++) await use(budget, i % 2 === 0 ? 'ok' : 'unavailable');
    expect(budget.isBreakerOpen()).toBe(false);
    await use(budget, 'unavailable');
    expect(budget.isBreakerOpen()).toBe(true);
  });

  test('lets one probe through, whose success closes it for all', async () => {
    const [first, second] = [account.worker('w1', settings()), account.worker('w2', settings())];
    await fail(first, 5);
    const waiting = [first.acquire('grant', 50, single), second.acquire('grant', 50, single)].map((p) =>
      collect(account, p),
    );
    await account.settle();
    await account.pass(1100);
    const probes = waiting.filter((w) => w.permits);
    expect(probes.map((w) => w.permits?.count)).toEqual([1]);
    expect([first, second].every((b) => b.isBreakerOpen())).toBe(true);
    probes[0]?.permits?.start().finish('ok');
    await account.settle();
    await account.pass(15_000);
    expect(waiting.every((w) => w.permits)).toBe(true);
    expect(first.isBreakerOpen()).toBe(false);
  });

  test('waits longer after each probe that fails, and a probe that is not sent is given to another', async () => {
    const budget = account.worker('w1', settings());
    await fail(budget, 5);
    const gaps: number[] = [];
    for (let i = 0; i < 8; i++) {
      const asked = account.now;
      const probe = collect(account, budget.acquire('grant', 1, single));
      await account.settle();
      await account.pass(31_000);
      gaps.push(probe.at - asked);
      if (i === 2) probe.permits?.release();
      else probe.permits?.start().finish('unavailable');
      await account.settle();
    }
    const [first = 0, second = 0, third = 0] = gaps;
    expect(first).toBeGreaterThanOrEqual(750);
    expect(second).toBeGreaterThan(first);
    expect(third).toBeGreaterThan(second);
    expect(gaps[3]).toBeLessThan(100);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(30_100);
    expect(gaps.at(-1)).toBeGreaterThan(22_000);
  });

  test('lets its probe go at once though all slots are taken, and none of those that were let go ahead', async () => {
    const budget = account.worker('w1', settings({}, { maxInFlight: 10 }));
    const bulk = { bulk: true };
    const slow = (await budget.acquire('grant', 1, single))?.start();
    await account.pass(1_000);
    slow?.finish('ok');
    const hanging = collect(account, budget.acquire('grant', 8, bulk));
    await account.settle();
    for (let i = 0; i < (hanging.permits?.count ?? 0); i++) hanging.permits?.start();
    expect(budget.snapshot().inFlight).toBe(8);
    const late = collect(account, budget.acquire('grant', 1, { ...bulk, ahead: true }));
    await account.settle();
    const { ready } = late.permits?.start() ?? {};
    await fail(budget, 5);
    expect(budget.isBreakerOpen()).toBe(true);
    expect(await ready).toBe(false);
    const probe = collect(account, budget.acquire('grant', 5, { ...bulk, ahead: true }));
    await account.settle();
    await account.pass(1100);
    expect(probe.permits?.count).toBe(1);
    expect(probe.permits?.start().ready).toBeNull();
  });

  test('is not closed by an answer to a request sent before it opened', async () => {
    const budget = account.worker('w1', settings());
    const early = (await budget.acquire('grant', 1, single))?.start();
    await fail(budget, 5);
    early?.finish('ok');
    await account.settle();
    await account.pass(200);
    expect(budget.isBreakerOpen()).toBe(true);
  });
});
