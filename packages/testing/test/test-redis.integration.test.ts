import { closeRedis, openRedis, redisReady } from '@pinegate/runtime';
import { expect, it, onTestFinished } from 'vitest';
import { startTestRedis } from '../src/index.ts';

it('comes back on the same port with what it knew, after kill and after freeze', async () => {
  const redis = await startTestRedis();
  onTestFinished(() => redis.close());
  const client = openRedis(redis.url, 'shared');
  onTestFinished(() => closeRedis(client));
  await redisReady(client);
  await client.set('kept', 'yes');
  redis.freeze();
  const answer = client.get('kept');
  redis.thaw();
  expect(await answer).toBe('yes');
  await redis.kill();
  await redis.start();
  expect(await client.get('kept')).toBe('yes');
});

it('starts only when told to, and cannot be killed before', async () => {
  const redis = await startTestRedis({ started: false });
  await expect(redis.kill()).rejects.toThrow('not running');
  await redis.start();
  await redis.close();
  await redis.close();
});
