import { randomNamespace, startTestRedis, type TestRedis } from '@pinegate/testing';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { askRedis } from '../src/ask-redis.ts';
import { checkRedis, closeRedis, createScripts, openRedis, redisReady } from '../src/index.ts';

let node: TestRedis;

beforeAll(async () => {
  node = await startTestRedis({ config: { 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' } });
  expect(await askRedis(node.port, `CLUSTER ADDSLOTSRANGE 0 16383`, 60_000)).toContain('OK');
});
afterAll(() => node.close());

it.each(['producer', 'shared'] as const)('runs scripts in a cluster as %s, pipelined', async (role) => {
  const client = openRedis(`redis+cluster://127.0.0.1:${node.port}`, role);
  onTestFinished(() => closeRedis(client));
  await redisReady(client);
  const scripts = createScripts(new URL('./fixtures/lua', import.meta.url));
  const keys = Array.from({ length: 20 }, () => `{${randomNamespace()}}`);
  const answers = await Promise.all(keys.map((key) => scripts.run(client, 'echo', [key], [role])));
  expect(answers).toEqual(keys.map((key) => [key, role]));
  await expect(checkRedis(client)).resolves.toBeUndefined();
});

it('duplicates a cluster client as a blocking one', async () => {
  const client = openRedis(`redis+cluster://127.0.0.1:${node.port}`, 'shared');
  onTestFinished(() => closeRedis(client));
  const copy = client.duplicate();
  onTestFinished(() => closeRedis(copy));
  await redisReady(copy);
  expect(await copy.ping()).toBe('PONG');
});

it('refuses a server that evicts', async () => {
  const evicting = await startTestRedis({ config: { 'maxmemory-policy': 'allkeys-lru' } });
  onTestFinished(() => evicting.close());
  const client = openRedis(evicting.url, 'producer');
  onTestFinished(() => closeRedis(client));
  await redisReady(client);
  await expect(checkRedis(client)).rejects.toMatchObject({ code: 'redis_evicts' });
});
