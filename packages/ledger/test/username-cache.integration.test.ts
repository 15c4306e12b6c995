import { openRedis, type Redis } from '@pinegate/runtime';
import { createLatch, createTcpProxy, randomNamespace } from '@pinegate/testing';
import { afterAll, describe, expect, inject, test, vi } from 'vitest';
import { type CacheResult, openUsernameCache, type UsernameCache, type UsernameCacheOptions } from '../src/index.ts';
import { commandsOf } from './directory-fixture.ts';

const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => redis.quit());

const HOUR_MS = 3_600_000;
const never = () => Promise.reject(new Error('nobody should ask'));

interface TestCache {
  readonly cache: UsernameCache;
  /** What `cache` told. */
  readonly results: CacheResult[];
  readonly ns: string;
  readonly time: { now: number };
  /** The cache of another process. */
  readonly another: (options?: Partial<UsernameCacheOptions>) => UsernameCache;
}

function openTestCache(client: Redis = redis): TestCache {
  const ns = randomNamespace();
  const time = { now: Date.now() };
  const another = (options: Partial<UsernameCacheOptions> = {}) =>
    openUsernameCache({ redis: client, ns, now: () => time.now, pause: async () => {}, ...options });
  const results: CacheResult[] = [];
  return { cache: another({ onResult: (result) => results.push(result) }), results, ns, time, another };
}

describe('a name that was put', () => {
  test('is found in any case, here without Redis and elsewhere through it', async () => {
    const { cache, results, time, another } = openTestCache();
    expect(await cache.get('TraderJoe')).toBeNull();
    await cache.put('traderjoe', 'TraderJoe');
    const found = { canonical: 'TraderJoe', checkedAt: time.now };
    expect(await commandsOf(redis, () => cache.get('TRADERJOE'))).toBe(0);
    expect(await cache.get('TRADERJOE')).toEqual(found);
    const told: CacheResult[] = [];
    const elsewhere = another({ onResult: (result) => told.push(result) });
    expect(await elsewhere.get('traderJOE')).toEqual(found);
    expect(await elsewhere.get('traderjoe')).toEqual(found);
    expect(results).toEqual(['miss', 'hit_memory', 'hit_memory']);
    expect(told).toEqual(['hit_redis', 'hit_memory']);
  });

  test('that is looked for again while it is waited for is no further request', async () => {
    const { cache, results, another } = openTestCache();
    await cache.getMany(['joe']);
    expect(await cache.lookAgain(['joe'])).toEqual([null]);
    await another().put('joe', 'Joe');
    expect(await cache.lookAgain(['JOE'])).toEqual([expect.objectContaining({ canonical: 'Joe' })]);
    expect(results).toEqual(['miss']);
  });

  test('is believed for 24 hours, in memory and in Redis', async () => {
    const { cache, ns, time, another } = openTestCache();
    await cache.put('joe', 'Joe');
    expect(await redis.pttl(`${ns}:name:joe`)).toBeGreaterThan(24 * HOUR_MS - 60_000);
    time.now += 24 * HOUR_MS - 1;
    expect(await cache.get('joe')).not.toBeNull();
    expect(await another().get('joe')).not.toBeNull();
    time.now += 1;
    expect(await cache.get('joe')).toBeNull();
    expect(await another().get('joe')).toBeNull();
  });

  test('that does not exist is believed for five minutes', async () => {
    const { cache, results, ns, time, another } = openTestCache();
    await cache.put('nobody', null);
    expect(await cache.get('Nobody')).toEqual({ canonical: null, checkedAt: time.now });
    expect(results).toEqual(['hit_memory']);
    expect(await redis.pttl(`${ns}:name:nobody`)).toBeLessThanOrEqual(300_000);
    time.now += 299_999;
    expect(await another().get('nobody')).toMatchObject({ canonical: null });
    time.now += 1;
    expect(await cache.get('nobody')).toBeNull();
    expect(await another().get('nobody')).toBeNull();
  });

  test('is not made younger by being found elsewhere', async () => {
    const { cache, time, another } = openTestCache();
    await cache.put('joe', 'Joe');
    const elsewhere = another();
    time.now += 23 * HOUR_MS;
    await elsewhere.get('joe');
    time.now += HOUR_MS;
    expect(await elsewhere.get('joe')).toBeNull();
  });

  test('can be asked for among many, in their order', async () => {
    const { cache, another } = openTestCache();
    await cache.put('one', 'One');
    await cache.put('two', null);
    const found = await another().getMany(['TWO', 'three', 'one']);
    expect(found.map((entry) => entry?.canonical)).toEqual([null, undefined, 'One']);
  });

  test('leaves memory when there is room for so many only', async () => {
    const { another } = openTestCache();
    const told: CacheResult[] = [];
    const small = another({ memoryEntries: 2, onResult: (result) => told.push(result) });
    for (const name of ['one', 'two', 'three']) await small.put(name, name);
    expect(await small.getMany(['three', 'two', 'one'])).not.toContain(null);
    expect(told.sort()).toEqual(['hit_memory', 'hit_memory', 'hit_redis']);
  });

  test('in a form that a newer release may write is read as unknown', async () => {
    const { cache, ns } = openTestCache();
    await redis.set(`${ns}:name:joe`, '{"v":2}', 'PX', 60_000);
    expect(await cache.get('joe')).toBeNull();
  });
});

describe('while Redis is too full', () => {
  test('memory alone is used, and what Redis holds is taken back', async () => {
    const { ns, another } = openTestCache();
    let full = false;
    const cache = another({ shouldStore: () => !full });
    await cache.put('joe', null);
    full = true;
    await cache.put('joe', 'Joe');
    expect(await redis.exists(`${ns}:name:joe`)).toBe(0);
    expect(await cache.get('joe')).toMatchObject({ canonical: 'Joe' });
    expect(await another().get('joe')).toBeNull();
  });
});

describe('looking a name up', () => {
  test('asks once for all that wait in one process', async () => {
    const { cache, time } = openTestCache();
    const answer = createLatch<string | null>('answer');
    const fetch = vi.fn(() => answer.wait());
    const waiting = ['joe', 'JOE', 'Joe'].map((name) => cache.lookUp(name, fetch));
    answer.open('Joe');
    expect(await Promise.all(waiting)).toEqual(Array(3).fill({ canonical: 'Joe', checkedAt: time.now }));
    expect(fetch).toHaveBeenCalledTimes(1);
    expect(await cache.lookUp('joe', never)).toMatchObject({ canonical: 'Joe' });
  });

  test('asks once for all processes', async () => {
    const { another } = openTestCache();
    const asked = createLatch('asked');
    const paused = createLatch('paused');
    const answer = createLatch<string | null>('answer');
    const first = another().lookUp('joe', () => {
      asked.open();
      return answer.wait();
    });
    await asked.wait();
    const stored = createLatch('stored');
    const pause = () => {
      paused.open();
      return stored.wait();
    };
    const others = [another({ pause }), another({ pause })].map((cache) => cache.lookUp('joe', never));
    await paused.wait();
    answer.open('Joe');
    await first;
    stored.open();
    for (const found of await Promise.all(others)) expect(found.canonical).toBe('Joe');
  });

  test('remembers that there is no such user', async () => {
    const { cache, another } = openTestCache();
    expect(await cache.lookUp('nobody', async () => null)).toMatchObject({ canonical: null });
    expect(await another().lookUp('nobody', never)).toMatchObject({ canonical: null });
  });

  test('gives a failure to all that wait, and remembers nothing', async () => {
    const { cache, ns, another } = openTestCache();
    const failure = new Error('upstream is out');
    const fetch = vi.fn(() => Promise.reject(failure));
    const ends = await Promise.allSettled([cache.lookUp('joe', fetch), cache.lookUp('Joe', fetch)]);
    expect(ends.map((end) => end.status === 'rejected' && end.reason)).toEqual([failure, failure]);
    expect(fetch).toHaveBeenCalledTimes(1);
    expect(await redis.keys(`${ns}:*`)).toEqual([]);
    expect(await another().lookUp('joe', async () => 'Joe')).toMatchObject({ canonical: 'Joe' });
  });

  test('goes to the next process when the one that asks fails', async () => {
    const { another } = openTestCache();
    const asked = createLatch('asked');
    const paused = createLatch('paused');
    const answer = createLatch('answer');
    const failed = createLatch('failed');
    const first = another().lookUp('joe', async () => {
      asked.open();
      await answer.wait();
      throw new Error('upstream is out');
    });
    await asked.wait();
    const pause = () => {
      paused.open();
      return failed.wait();
    };
    const second = another({ pause }).lookUp('joe', async () => 'Joe');
    await paused.wait();
    answer.open();
    await expect(first).rejects.toThrow('upstream is out');
    failed.open();
    expect(await second).toMatchObject({ canonical: 'Joe' });
  });

  test('waits for a holder that died no longer than its lock lives', async () => {
    const { ns, another } = openTestCache();
    const lock = `${ns}:name:joe:lock`;
    await redis.set(lock, 'a process that is gone', 'PX', 10_000);
    let pauses = 0;
    const pause = async () => {
      pauses += 1;
      if (pauses === 5) await redis.pexpire(lock, 0);
    };
    expect(await another({ pause }).lookUp('joe', async () => 'Joe')).toMatchObject({ canonical: 'Joe' });
    expect(pauses).toBe(5);
    expect(await redis.exists(lock)).toBe(0);
  });

  test('waits longer and longer between looks, and for no more than half a minute', async () => {
    const { ns, time, another } = openTestCache();
    await redis.set(`${ns}:name:joe:lock`, 'a process that hangs', 'PX', 60_000);
    const pauses: number[] = [];
    const cache = another({
      pause: async (ms) => {
        pauses.push(ms);
        time.now += ms;
      },
    });
    expect(await cache.lookUp('joe', async () => 'Joe')).toMatchObject({ canonical: 'Joe' });
    expect(pauses.slice(0, 6)).toEqual([25, 50, 100, 200, 250, 250]);
    expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(30_500);
    expect(await redis.get(`${ns}:name:joe:lock`)).toBe('a process that hangs');
  });

  test('never gives up the lock of another', async () => {
    const { cache, ns } = openTestCache();
    const lock = `${ns}:name:joe:lock`;
    await cache.lookUp('joe', async () => {
      await redis.set(lock, 'another', 'PX', 60_000);
      return 'Joe';
    });
    expect(await redis.get(lock)).toBe('another');
  });

  test('asks only once though the answer came between its look and its lock', async () => {
    const { cache, another } = openTestCache();
    const set = redis.set.bind(redis);
    const elsewhere = another();
    const spy = vi.spyOn(redis, 'set').mockImplementationOnce((async (...args: Parameters<Redis['set']>) => {
      await elsewhere.put('joe', 'Joe');
      return set(...args);
    }) as never);
    expect(await cache.lookUp('joe', never)).toMatchObject({ canonical: 'Joe' });
    spy.mockRestore();
  });
});

test('a Redis that is out makes every name unknown, and every look-up asks for itself', async () => {
  const proxy = await createTcpProxy(Number(new URL(inject('redisUrl')).port));
  const client = openRedis(`redis://127.0.0.1:${proxy.port}`, 'producer');
  try {
    await new Promise<void>((resolve) => client.once('ready', () => resolve()));
    const { cache, results } = openTestCache(client);
    proxy.cut();
    expect(await cache.get('joe')).toBeNull();
    await cache.put('ann', 'Ann');
    expect(await cache.get('ann')).toMatchObject({ canonical: 'Ann' });
    expect(await cache.lookUp('joe', async () => 'Joe')).toMatchObject({ canonical: 'Joe' });
    expect(results).toEqual(['unavailable', 'hit_memory', 'unavailable']);
    await expect(cache.lookUp('bob', () => Promise.reject(new Error('upstream is out')))).rejects.toThrow('upstream');
  } finally {
    client.disconnect();
    await proxy.close();
  }
});
