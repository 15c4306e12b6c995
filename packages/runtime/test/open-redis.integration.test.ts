import { createLatch, createTcpProxy, startTestRedis, type TcpProxy, type TestRedis } from '@pinegate/testing';
import { afterEach, expect, it, onTestFinished } from 'vitest';
import { closeRedis, createLogger, openRedis, type Redis, type RedisRole, redisReady } from '../src/index.ts';

const lines: string[] = [];
const log = createLogger({ app: 'test', level: 'info', destination: { write: (line) => void lines.push(line) } });
afterEach(() => void lines.splice(0));

function open(url: string, role: RedisRole): Redis {
  const client = openRedis(url, role, log);
  onTestFinished(() => closeRedis(client));
  return client;
}

async function privateRedis(started = true): Promise<TestRedis> {
  // With `everysec` what is answered while its file is synced, on a slow disk for seconds, is not in it yet, and killed is lost.
  const redis = await startTestRedis({ started, config: { appendfsync: 'no' } });
  onTestFinished(() => redis.close());
  return redis;
}

async function proxyTo(redis: TestRedis): Promise<TcpProxy> {
  const proxy = await createTcpProxy(redis.port);
  onTestFinished(() => proxy.close());
  return proxy;
}

/** Resolves when the client has given its connection up: until then it still calls itself ready. */
function connectionClosed(client: Redis): Promise<void> {
  const closed = createLatch('connection closed');
  client.once('close', () => closed.open());
  return closed.wait(60_000);
}

it('fails fast as a producer when Redis is down at start, and works once it is up', async () => {
  const redis = await privateRedis(false);
  const client = open(redis.url, 'producer');
  await expect(client.set('a', '1')).rejects.toThrow();
  const ready = redisReady(client);
  await redis.start();
  await ready;
  expect(await client.set('a', '1')).toBe('OK');
});

it('fails fast as a producer while Redis is frozen, and works after', async () => {
  const redis = await privateRedis();
  const client = open(redis.url, 'producer');
  await redisReady(client);
  const closed = connectionClosed(client);
  redis.freeze();
  // While it is frozen: nothing but the client's own patience ends the wait.
  await expect(client.get('a')).rejects.toThrow('timed out');
  expect(client.options.commandTimeout).toBeLessThan(1_000);
  await closed;
  redis.thaw();
  await redisReady(client);
  expect(await client.ping()).toBe('PONG');
});

it('fails fast as a producer after Redis was killed, and works when it is back', async () => {
  const redis = await privateRedis();
  const client = open(redis.url, 'producer');
  await redisReady(client);
  const closed = connectionClosed(client);
  await redis.kill();
  await closed;
  await expect(client.get('a')).rejects.toThrow();
  const ready = redisReady(client);
  await redis.start();
  await ready;
  expect(await client.ping()).toBe('PONG');
});

it.each(['shared', 'blocking'] as const)(
  'waits as %s for a Redis that was killed, and loses no command',
  async (role) => {
    const redis = await privateRedis();
    const client = open(redis.url, role);
    await client.set('kept', 'yes');
    await redis.kill();
    const answer = client.get('kept');
    await redis.start();
    expect(await answer).toBe('yes');
  },
);

it('gets a new connection when the network to Redis goes silent', async () => {
  const redis = await privateRedis();
  const proxy = await proxyTo(redis);
  const client = open(`redis://127.0.0.1:${proxy.port}`, 'producer');
  await redisReady(client);
  proxy.halfOpen();
  const closed = connectionClosed(client);
  await expect(client.get('a')).rejects.toThrow('timed out');
  await closed;
  const ready = redisReady(client);
  proxy.resume();
  await ready;
  expect(await client.ping()).toBe('PONG');
});

it('survives resets and cuts of the network as shared', async () => {
  const redis = await privateRedis();
  const proxy = await proxyTo(redis);
  const client = open(`redis://127.0.0.1:${proxy.port}`, 'shared');
  await client.set('kept', 'yes');
  proxy.reset();
  expect(await client.get('kept')).toBe('yes');
  proxy.cut();
  const answer = client.get('kept');
  proxy.resume();
  expect(await answer).toBe('yes');
});

it('logs one line per outage and one for its end', async () => {
  const redis = await privateRedis(false);
  const client = open(redis.url, 'shared');
  const fourth = createLatch('fourth error');
  let errors = 0;
  client.on('error', () => {
    errors += 1;
    if (errors === 4) fourth.open();
  });
  await fourth.wait(60_000);
  await redis.start();
  await redisReady(client);
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['Redis cannot be reached', 'Redis is back']);
});

it('gives a duplicate of a shared client the patience of a blocking one', async () => {
  const redis = await privateRedis();
  const copy = open(redis.url, 'shared').duplicate({ maxRetriesPerRequest: null });
  onTestFinished(() => closeRedis(copy));
  expect(copy.options).toMatchObject({
    enableAutoPipelining: false,
    socketTimeout: 75_000,
    maxRetriesPerRequest: null,
  });
  expect(copy.listenerCount('error')).toBeGreaterThan(0);
});

it('closes a client whose Redis is gone', async () => {
  const redis = await privateRedis();
  const client = open(redis.url, 'shared');
  await redisReady(client);
  redis.freeze();
  await closeRedis(client, 50);
  await closeRedis(client, 50);
  redis.thaw();
  expect(client.status).toBe('end');
});

it('stops waiting for Redis when told to', async () => {
  const client = open('redis://127.0.0.1:1', 'shared');
  await expect(redisReady(client, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  const stop = new AbortController();
  const waiting = redisReady(client, stop.signal);
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});
