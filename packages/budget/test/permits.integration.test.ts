import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import type { Budget, BudgetName, Permits } from '../src/index.ts';
import { collect, fixed, openTestAccount, settings, type TestAccount } from './test-account.ts';

let account: TestAccount;
beforeEach(async () => {
  account = await openTestAccount(inject('redisUrl'));
});
afterEach(() => account.close());

const single = { bulk: false };
const bulk = { bulk: true };

/** Takes permits one after another, each finished at once; the times at which they came. */
function drain(budget: Budget, name: BudgetName, options: { readonly bulk: boolean }): number[] {
  const times: number[] = [];
  const next = async (): Promise<void> => {
    const permits = await budget.acquire(name, 1, options);
    if (!permits) return;
    times.push(account.now);
    permits.start().finish('ok');
    await next();
  };
  void next();
  return times;
}

const finish = (permits: Permits | null | undefined) => {
  for (let i = 0; i < (permits?.count ?? 0); i++) permits?.start().finish('ok');
};

describe('permits', () => {
  test('come at the distance that the rate sets, however many workers take them', async () => {
    const both = settings({ grant: fixed(20) });
    const times = [drain(account.worker('w1', both), 'grant', bulk), drain(account.worker('w2', both), 'grant', bulk)];
    await account.settle();
    await account.pass(2000);
    const all = times.flat().sort((a, b) => a - b);
    expect(all.length).toBeGreaterThanOrEqual(40);
    expect(all.length).toBeLessThanOrEqual(41);
    // Those due within 10 ms go out together: none comes earlier than that.
    for (const [i, at] of all.entries()) expect(at).toBeGreaterThanOrEqual(50 * i - 10);
  });

  test('are not saved up while nobody wants them', async () => {
    const budget = account.worker('w1', settings({ grant: fixed(10) }));
    finish(await budget.acquire('grant', 1, bulk));
    await account.pass(60_000);
    const got = collect(account, budget.acquire('grant', 50, bulk));
    await account.settle();
    expect(got.permits?.count).toBe(1);
  });

  test('of one budget do not wait for another, unless the two are shared', async () => {
    const apart = account.worker('w1', settings({ grant: fixed(1), revoke: fixed(1) }));
    const first = [
      collect(account, apart.acquire('grant', 1, single)),
      collect(account, apart.acquire('revoke', 1, single)),
    ];
    await account.settle();
    expect(first.map((g) => g.permits?.count)).toEqual([1, 1]);
    apart.configure(settings({ grant: fixed(1), revoke: fixed(1) }, { shared: true }));
    const revoke = collect(account, apart.acquire('revoke', 1, single));
    await account.settle();
    await account.pass(900);
    expect(revoke.permits).toBeUndefined();
    await account.pass(200);
    expect(revoke.permits?.count).toBe(1);
  });

  test('that are released in time are had again at their time', async () => {
    const budget = account.worker('w1', settings({ grant: fixed(2) }));
    const first = await budget.acquire('grant', 1, single);
    first?.release();
    await account.pass(100);
    const again = collect(account, budget.acquire('grant', 1, single));
    await account.settle();
    await account.pass(0);
    expect(again.permits?.count).toBe(1);
  });

  test('without a limit are as many as there are slots', async () => {
    const permits = await account.worker('w1', settings({}, { maxInFlight: 200 })).acquire('grant', 50, bulk);
    expect(permits?.count).toBe(50);
  });
});

describe('a single operation', () => {
  test('waits for a quarter of a second and its own permit at most, whatever bulk wants on whichever worker', async () => {
    const both = settings({ grant: fixed(5) });
    drain(account.worker('w1', both), 'grant', bulk);
    drain(account.worker('w2', both), 'grant', bulk);
    await account.settle();
    await account.pass(1030);
    const budget = account.worker('w3', both);
    for (let i = 0; i < 5; i++) {
      const asked = account.now;
      const got = collect(account, budget.acquire('grant', 1, single));
      await account.settle();
      await account.pass(460);
      expect(got.permits?.count).toBe(1);
      expect(got.at - asked).toBeLessThanOrEqual(450);
      finish(got.permits);
      await account.pass(577);
    }
  });

  test('goes first, and bulk keeps a tenth while singles wait', async () => {
    const both = settings({ grant: fixed(10) });
    const budget = account.worker('w1', both);
    const singles = [drain(budget, 'grant', single), drain(account.worker('w2', both), 'grant', single)];
    const bulks = drain(account.worker('w3', both), 'grant', bulk);
    await account.settle();
    await account.pass(20_000);
    const served = singles.flat().length;
    const share = bulks.length / (served + bulks.length);
    expect(served + bulks.length).toBeGreaterThanOrEqual(195);
    expect(share).toBeGreaterThanOrEqual(0.08);
    expect(share).toBeLessThanOrEqual(0.2);
  });
});

describe('who waits', () => {
  test('is let go by an abort, by its time, and by close', async () => {
    const budget = account.worker('w1', settings({ grant: fixed(0.5) }));
    finish(await budget.acquire('grant', 1, single));
    const abort = new AbortController();
    const aborted = collect(account, budget.acquire('grant', 1, { ...single, signal: abort.signal }));
    const late = collect(account, budget.acquire('grant', 1, { ...single, maxWaitMs: 300 }));
    const closed = collect(account, budget.acquire('revoke', 5000, { bulk: true, maxWaitMs: 10_000 }));
    abort.abort();
    await account.settle();
    expect(aborted.permits).toBeNull();
    await account.pass(300);
    expect(late).toEqual({ permits: null, at: 300 });
    expect(closed.permits?.count).toBeGreaterThan(0);
    await budget.close();
    expect(await budget.acquire('grant', 1, single)).toBeNull();
  });

  test('leaves no timer behind once nothing waits and nothing is sent', async () => {
    const budget = account.worker('w1', settings({ grant: fixed(50) }));
    const permits = await budget.acquire('grant', 10, bulk);
    finish(permits);
    await account.settle();
    await account.pass(1000);
    expect(account.timers).toBe(0);
    expect(await account.redis.exists(`${account.key}:slots`)).toBe(0);
  });
});
