import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeRedis, findRedisServer, openRedis } from '@pinegate/runtime';
import { reservePort } from './reserve-port.ts';
import { startProcess, type TestProcess } from './start-process.ts';
import { startTestRedis, type TestRedis } from './test-redis.ts';
import { waitFor } from './wait-for.ts';

const NAME = 'pinegate';
const SENTINELS = 3;
/** A master that is silent for so long is replaced. */
const DOWN_MS = 1_000;

/** A master with a replica, watched by three Sentinels. */
export type TestSentinel = {
  /** For `REDIS_URL`. */
  readonly url: string;
  readonly master: TestRedis;
  readonly replica: TestRedis;
  /** Resolves when the Sentinels have made the replica the master. */
  failedOver(): Promise<void>;
  close(): Promise<void>;
};

/** Starts them on loopback; a master that is silent for a second is replaced. */
export async function startTestSentinel(): Promise<TestSentinel> {
  const dir = await mkdtemp(join(tmpdir(), 'pinegate-sentinel-'));
  const closers: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const master = await startTestRedis();
    closers.push(() => master.close());
    const replica = await startTestRedis({ config: { replicaof: `127.0.0.1 ${master.port}` } });
    closers.push(() => replica.close());
    await untilReplicating(replica);
    const ports: number[] = [];
    for (let i = 0; i < SENTINELS; i += 1) {
      const { port, process } = await startSentinel(dir, master.port);
      ports.push(port);
      closers.push(() => process.stop());
    }
    await Promise.all(ports.map((port) => untilKnown(port)));
    return {
      url: `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
      master,
      replica,
      async failedOver() {
        const isPromoted = async () => (await masterPort(ports[0] ?? 0)) === replica.port;
        await waitFor(isPromoted, { what: 'the Sentinels to promote the replica', withinMs: 180_000 });
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startSentinel(dir: string, masterPort: number): Promise<{ port: number; process: TestProcess }> {
  const port = await reservePort();
  const file = join(dir, `${port}.conf`);
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${dir}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} 2`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_MS}`,
    `sentinel failover-timeout ${NAME} 5000`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const process = await startProcess({
    command: findRedisServer('/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin'),
    args: [file, '--sentinel'],
    env: {},
    readyLine: /\+monitor master/,
  });
  return { port, process };
}

async function untilReplicating(replica: TestRedis): Promise<void> {
  const client = openRedis(replica.url, 'shared');
  try {
    const isUp = async () => (await client.info('replication')).includes('master_link_status:up');
    await waitFor(isUp, { what: 'the replica to follow its master' });
  } finally {
    await closeRedis(client);
  }
}

/** Until this Sentinel knows the replica and the two others: before, it could not lead a fail-over. */
async function untilKnown(port: number): Promise<void> {
  const knowsAll = async () => {
    const told = await tellMaster(port);
    return told.get('num-slaves') === '1' && told.get('num-other-sentinels') === String(SENTINELS - 1);
  };
  await waitFor(knowsAll, { what: 'the Sentinels to find each other', withinMs: 120_000 });
}

async function masterPort(port: number): Promise<number> {
  return Number((await tellMaster(port)).get('port'));
}

async function tellMaster(port: number): Promise<Map<string, string>> {
  const client = openRedis(`redis://127.0.0.1:${port}`, 'shared');
  try {
    const flat = (await client.call('SENTINEL', 'MASTER', NAME)) as string[];
    const pairs = flat.flatMap((value, i) => (i % 2 === 0 ? [[value, flat[i + 1] ?? ''] as const] : []));
    return new Map(pairs);
  } finally {
    await closeRedis(client);
  }
}
