import { closeRedis, createScripts, openRedis, type Redis } from '@pinegate/runtime';
import { randomNamespace } from '@pinegate/testing';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { type Budget, type BudgetSettings, createBudget, type RequestResult } from '../src/index.ts';

const clock = "local function now() return tonumber(redis.call('GET', KEYS[1] .. ':clock') or 1000000) end";
const UNLIMITED = { grant: null, revoke: null, list: null, lookup: null };

let redis: Redis;
let ns: string;
const open: Budget[] = [];

beforeEach(() => {
  redis = openRedis(inject('redisUrl'), 'shared');
  ns = randomNamespace();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((b) => b.close()));
  await closeRedis(redis);
});

function budget(worker: string, settings: BudgetSettings): Budget {
  const made = createBudget({ redis, ns, account: 'a', worker, settings, replace: { clock } });
  open.push(made);
  return made;
}

const setClock = (ms: number) => redis.set(`{${ns}:a}:budget:clock`, ms);
const single = { bulk: false };
const bulk = { bulk: true };
const scripts = createScripts(new URL('../src/lua/', import.meta.url), { replace: { clock } });

/** What a worker would get at this instant: the script itself, so that nothing waits. */
async function granted(
  worker: string,
  name: string,
  n: number,
  { bulk: isBulk }: { bulk: boolean },
  s: BudgetSettings,
) {
  const rate = s.rates[name as 'grant'] ?? '';
  const args = [worker, name, n, isBulk ? 1 : 0, rate, s.maxInFlight, 30_000];
  const answer = (await scripts.run(redis, 'take', [`{${ns}:a}:budget`], args)) as [number, number, number];
  return { granted: answer[0], waitMs: answer[1], open: answer[2] === 1 };
}

async function use(b: Budget, result: RequestResult, retryAfterMs: number | null = null): Promise<void> {
  const permits = await b.acquire('grant', 1, single);
  permits?.start().finish(result, { retryAfterMs });
}

async function slots(): Promise<number> {
  const held = await redis.hvals(`{${ns}:a}:budget:slots`);
  return held.reduce((sum, text) => sum + Number(text.split(' ')[0]), 0);
}

/** Resolves once the slots that are in use are so many: reports go out in the background. */
async function slotsBecome(n: number): Promise<void> {
  while ((await slots()) !== n) await new Promise((resolve) => setImmediate(resolve));
}

test('a bucket gives a quarter of a second at once, and the rest as time passes', async () => {
  const settings = { rates: { ...UNLIMITED, grant: 40 }, maxInFlight: 1000 };
  await setClock(1_000_000);
  expect((await budget('w1', settings).acquire('grant', 50, single))?.count).toBe(10);
  expect(await granted('w1', 'grant', 1, single, settings)).toMatchObject({ granted: 0, waitMs: 25 });
  await setClock(1_000_100);
  expect(await granted('w1', 'grant', 50, single, settings)).toMatchObject({ granted: 4 });
});

test('two workers share one bucket, and each budget has its own', async () => {
  const settings = { rates: { ...UNLIMITED, grant: 4, revoke: 4 }, maxInFlight: 1000 };
  expect((await granted('w1', 'grant', 5, single, settings)).granted).toBe(1);
  expect(await granted('w2', 'grant', 1, single, settings)).toMatchObject({ granted: 0, waitMs: 250 });
  expect((await granted('w2', 'revoke', 1, single, settings)).granted).toBe(1);
});

test('permits that were not used come back', async () => {
  const settings = { rates: { ...UNLIMITED, grant: 4 }, maxInFlight: 10 };
  (await budget('w1', settings).acquire('grant', 1, single))?.release();
  await slotsBecome(0);
  expect((await granted('w1', 'grant', 1, single, settings)).granted).toBe(1);
});

test('all workers together have no more in flight than the cap, and bulk an eighth less', async () => {
  const settings = { rates: UNLIMITED, maxInFlight: 16 };
  const held = await budget('w1', settings).acquire('grant', 50, bulk);
  expect(held?.count).toBe(14);
  expect((await granted('w2', 'grant', 50, bulk, settings)).granted).toBe(0);
  expect((await granted('w2', 'grant', 50, single, settings)).granted).toBe(2);
  held?.release();
  await slotsBecome(2);
  expect((await granted('w2', 'grant', 50, bulk, settings)).granted).toBe(12);
});

test('slots of a worker that died are free when they run out', async () => {
  const settings = { rates: UNLIMITED, maxInFlight: 4 };
  await setClock(1_000_000);
  expect((await granted('dead', 'grant', 4, single, settings)).granted).toBe(4);
  expect((await granted('alive', 'grant', 1, single, settings)).granted).toBe(0);
  await setClock(1_030_001);
  expect((await granted('alive', 'grant', 4, single, settings)).granted).toBe(4);
});

test('while a single operation waits, bulk gets one permit in ten', async () => {
  const settings = { rates: { ...UNLIMITED, grant: 4 }, maxInFlight: 100 };
  await setClock(1_000_000);
  expect((await granted('w1', 'grant', 1, single, settings)).granted).toBe(1);
  let given = 0;
  for (let i = 1; i <= 20; i++) {
    expect((await granted('w1', 'grant', 1, single, settings)).granted).toBe(0);
    // A permit's worth of time passes, and the single has not come for it.
    await setClock(1_000_000 + i * 250);
    given += (await granted('w2', 'grant', 1, bulk, settings)).granted;
    await redis.hset(`{${ns}:a}:budget`, 'tokens:grant', 0);
  }
  expect(given).toBe(2);
});

test('a 429 pauses every worker for as long as it says', async () => {
  const settings = { rates: UNLIMITED, maxInFlight: 100 };
  await setClock(1_000_000);
  await use(budget('w1', settings), 'limited', 5_000);
  await slotsBecome(0);
  await setClock(1_004_999);
  expect(await granted('w2', 'list', 1, single, settings)).toMatchObject({ granted: 0, waitMs: 1 });
  await setClock(1_005_000);
  expect((await granted('w2', 'list', 1, single, settings)).granted).toBe(1);
});

test('failures in a row open the breaker, one probe at a time tries it, and a success closes it', async () => {
  const settings = { rates: UNLIMITED, maxInFlight: 100 };
  const b = budget('w1', settings);
  await setClock(1_000_000);
  for (let i = 0; i < 5; i++) {
    await use(b, 'uncertain');
    await slotsBecome(0);
  }
  expect(await granted('w2', 'grant', 1, single, settings)).toEqual({ granted: 0, waitMs: 1000, open: true });
  await setClock(1_001_000);
  const probe = await b.acquire('grant', 50, single);
  expect(probe?.count).toBe(1);
  expect(b.isBreakerOpen()).toBe(true);
  expect((await granted('w2', 'grant', 1, single, settings)).granted).toBe(0);
  probe?.start().finish('ok');
  await slotsBecome(0);
  expect(await granted('w2', 'grant', 50, single, settings)).toMatchObject({ granted: 50, open: false });
});

test('who waits is let go by an abort and by close', async () => {
  const b = budget('w1', { rates: UNLIMITED, maxInFlight: 1 });
  await b.acquire('grant', 1, single);
  const abort = new AbortController();
  const waiting = [b.acquire('grant', 1, { ...single, signal: abort.signal }), b.acquire('revoke', 1, single)];
  abort.abort();
  expect(await waiting[0]).toBeNull();
  await b.close();
  expect(await waiting[1]).toBeNull();
  expect(await b.acquire('grant', 1, single)).toBeNull();
});
