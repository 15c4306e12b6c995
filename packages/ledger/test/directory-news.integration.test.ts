import { closeRedis, openRedis, type Redis, redisReady } from '@pinegate/runtime';
import { waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type DirectoryNews, watchDirectory } from '../src/index.ts';
import { activate, config, openTestDirectory, script } from './directory-fixture.ts';

let redis: Redis;
let listener: Redis;

beforeAll(async () => {
  redis = openRedis(inject('redisUrl'), 'shared');
  listener = openRedis(inject('redisUrl'), 'blocking');
  await Promise.all([redisReady(redis), redisReady(listener)]);
});
afterAll(() => Promise.all([closeRedis(redis), closeRedis(listener)]));

/** Everything told from now on. */
async function listen(ns: string): Promise<DirectoryNews[]> {
  const news: DirectoryNews[] = [];
  watchDirectory({ redis: listener, ns, onNews: (told) => news.push(told) });
  // Answered after the subscription: both go over one connection.
  await listener.subscribe(`${ns}-none`);
  return news;
}

const heard = (news: DirectoryNews[], kind: DirectoryNews['kind'], times = 1) =>
  waitFor(async () => (news.filter((told) => told.kind === kind).length >= times ? true : undefined), {
    what: `${times} news of ${kind}`,
  });

test('every change of an account is told', async () => {
  const { directory, ns } = openTestDirectory(redis);
  const news = await listen(ns);
  let times = 0;
  const told = async (change: Promise<unknown>) => {
    await change;
    times += 1;
    await heard(news, 'changed', times);
  };
  await told(directory.accounts.put('acme', config(script(1))));
  await told(directory.sessions.put('acme', { sessionid: 'fresh', sessionidSign: null }));
  await told(directory.accounts.setState('acme', 'paused', 'operator'));
  await told(directory.accounts.remove('acme'));
  expect(news).toEqual(new Array(4).fill({ kind: 'changed' }));
});

describe('a suspicion', () => {
  test('makes one worker ask and the others wait, until what was found is told', async () => {
    const { directory, ns } = openTestDirectory(redis);
    const postedAt = await activate(directory, 'acme', script(1));
    const news = await listen(ns);
    expect(await directory.suspicions.raise('acme', postedAt, 60_000)).toBe('ask');
    expect(await directory.suspicions.raise('acme', postedAt, 60_000)).toBe('wait');
    await directory.suspicions.end('acme', 'unclear');
    await heard(news, 'checked');
    expect(news).toEqual([
      { kind: 'suspect', account: 'acme' },
      { kind: 'checked', account: 'acme', result: 'unclear' },
    ]);
    expect(await directory.suspicions.raise('acme', postedAt, 60_000)).toBe('ask');
  });

  test('is moot once the account is parked or has other cookies', async () => {
    const { directory } = openTestDirectory(redis);
    const postedAt = await activate(directory, 'acme', script(1));
    expect(await directory.suspicions.raise('acme', postedAt - 1, 60_000)).toBe('moot');
    await directory.accounts.setSession('acme', 'dead', postedAt);
    expect(await directory.suspicions.raise('acme', postedAt, 60_000)).toBe('moot');
  });
});

describe('a worker', () => {
  test('counts as running from its first beat until it leaves', async () => {
    const { directory, ns } = openTestDirectory(redis);
    const news = await listen(ns);
    expect((await directory.workers.beat('w1')).workers).toEqual(['w1']);
    expect([...(await directory.workers.beat('w2')).workers].sort()).toEqual(['w1', 'w2']);
    await directory.workers.leave('w1');
    expect((await directory.workers.beat('w2')).workers).toEqual(['w2']);
    await heard(news, 'workers', 3);
  });

  test('that is silent for 15 s counts no more', async () => {
    const { directory, time } = openTestDirectory(redis);
    await directory.workers.beat('w1');
    time.now += 10_000;
    expect((await directory.workers.beat('w2')).workers).toHaveLength(2);
    time.now += 5_000;
    expect((await directory.workers.beat('w2')).workers).toEqual(['w2']);
  });

  test('hears of changes by a counter', async () => {
    const { directory } = openTestDirectory(redis);
    const { revision } = await directory.workers.beat('w1');
    expect((await directory.workers.beat('w1')).revision).toBe(revision);
    await directory.accounts.put('acme', config(script(1)));
    expect((await directory.workers.beat('w1')).revision).not.toBe(revision);
  });
});
