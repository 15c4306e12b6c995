import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess, startTestRedis, waitFor } from '@pinegate/testing';
import { expect, it, onTestFinished } from 'vitest';
import { askRedis } from '../src/ask-redis.ts';
import { findRedisServer } from '../src/find-redis-server.ts';
import { closeRedis, freePort, openRedis, redisReady } from '../src/index.ts';

const ANSWER_MS = 60_000;

async function startSentinel(masterPort: number): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'pinegate-sentinel-'));
  const port = await freePort();
  const config = join(dir, 'sentinel.conf');
  await writeFile(
    config,
    `port ${port}\nbind 127.0.0.1\ndir ${dir}\nsentinel monitor main 127.0.0.1 ${masterPort} 1\n`,
  );
  const sentinel = await startProcess({
    command: findRedisServer('/usr/bin:/usr/local/bin'),
    args: [config, '--sentinel'],
  });
  onTestFinished(async () => {
    await sentinel.kill();
    await rm(dir, { recursive: true, force: true });
  });
  await waitFor(async () => (await askRedis(port, 'SENTINEL replicas main'))?.includes('slave-priority'), {
    what: 'a sentinel that knows the replica',
  });
  return port;
}

it('finds the master through a sentinel, and the new one after a failover', async () => {
  const master = await startTestRedis();
  onTestFinished(() => master.close());
  const replica = await startTestRedis({ config: { replicaof: `127.0.0.1 ${master.port}` } });
  onTestFinished(() => replica.close());
  const port = await startSentinel(master.port);

  const client = openRedis(`redis+sentinel://127.0.0.1:${port}/main`, 'shared');
  onTestFinished(() => closeRedis(client));
  await redisReady(client);
  await client.set('kept', 'yes');
  await waitFor(async () => (await askRedis(replica.port, 'GET kept'))?.includes('yes'), { what: 'the copy' });
  // Refused while the sentinel has not asked the replica itself yet.
  await waitFor(async () => (await askRedis(port, 'SENTINEL failover main', ANSWER_MS))?.includes('OK'), {
    what: 'the failover to begin',
  });
  await waitFor(async () => (await askRedis(replica.port, 'ROLE'))?.includes('master'), { what: 'the new master' });
  // The old master takes writes until it is demoted: those are lost, so write until one has arrived.
  const arrived = async () => {
    await client.set('after', 'the failover');
    return (await askRedis(replica.port, 'GET after'))?.includes('the failover');
  };
  await waitFor(arrived, { what: 'a write at the new master' });
  expect(await client.get('kept')).toBe('yes');
});
