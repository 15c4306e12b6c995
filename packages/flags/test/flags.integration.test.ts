import { closeRedis, openRedis, type Redis, redisReady } from '@pinegate/runtime';
import { createLatch, createTcpProxy, randomNamespace } from '@pinegate/testing';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { FLAG_DEFAULTS, type FlagValues, openFlags } from '../src/index.ts';

let redis: Redis;
beforeAll(async () => {
  redis = openRedis(inject('redisUrl'), 'shared');
  await redisReady(redis);
});
afterAll(() => closeRedis(redis));

test('flags have their defaults until one is changed; the others stay', async () => {
  const flags = openFlags({ redis, ns: randomNamespace() });
  expect(await flags.read()).toEqual(FLAG_DEFAULTS);
  expect(await flags.put({ acceptRevokes: false, verifyEveryWrite: true })).toEqual({
    ...FLAG_DEFAULTS,
    acceptRevokes: false,
    verifyEveryWrite: true,
  });
  expect(flags.values.acceptRevokes).toBe(false);
  expect((await flags.put({ acceptRevokes: true })).verifyEveryWrite).toBe(true);
  await flags.close();
});

test('a change made in one process is seen by another', async () => {
  const ns = randomNamespace();
  const here = openFlags({ redis, ns });
  const there = openFlags({ redis, ns, everyMs: 20 });
  await there.read();
  const seen = createLatch<FlagValues>('the change');
  there.onChange((values) => seen.open(values));
  await here.put({ http2: false });
  expect((await seen.wait()).http2).toBe(false);
  expect(there.values.http2).toBe(false);
  await Promise.all([here.close(), there.close()]);
});

test('what a newer release stores beside them is left alone', async () => {
  const ns = randomNamespace();
  await redis.hset(`{${ns}}:flags`, 'fromTheFuture', 'yes', 'acceptBulk', '0');
  const flags = openFlags({ redis, ns });
  expect(await flags.read()).toEqual({ ...FLAG_DEFAULTS, acceptBulk: false });
  await flags.put({ acceptBulk: true });
  expect(await redis.hget(`{${ns}}:flags`, 'fromTheFuture')).toBe('yes');
  await flags.close();
});

test('without Redis the values last seen stand', async () => {
  const proxy = await createTcpProxy(Number(new URL(inject('redisUrl')).port));
  const client = openRedis(`redis://127.0.0.1:${proxy.port}`, 'producer');
  try {
    await redisReady(client);
    const flags = openFlags({ redis: client, ns: randomNamespace() });
    await flags.put({ acceptBulk: false });
    proxy.cut();
    await expect(flags.read()).rejects.toThrow();
    expect(flags.values.acceptBulk).toBe(false);
    await flags.close();
  } finally {
    client.disconnect();
    await proxy.close();
  }
});
