import { closeRedis, openRedis, type Redis } from '@pinegate/runtime';
import { reservePort } from './reserve-port.ts';
import { startTestRedis, type TestRedis } from './test-redis.ts';
import { waitFor } from './wait-for.ts';

const SLOTS = 16_384;
const KEYS_AT_ONCE = 20;
/** Longer than a busy machine keeps a node from answering: one that is well must not be replaced. */
const DOWN_MS = 5_000;
const MIGRATE_MS = 30_000;
const PAUSE_MS = 60_000;

/** A Redis Cluster of the test's own: masters with one replica each. */
export type TestRedisCluster = {
  /** For `REDIS_URL`. */
  readonly url: string;
  /** The index of the master that holds the slot of a key now. */
  masterOf(key: string): Promise<number>;
  /** Moves the slot of a key with all that is in it to another master, while clients go on. */
  moveSlot(key: string, to: number): Promise<void>;
  /** kill -9 of a master whose replica has read all that was acknowledged; resolves when that has taken over its slots. */
  killMaster(index: number): Promise<void>;
  close(): Promise<void>;
};

type Node = { readonly redis: TestRedis; readonly client: Redis; readonly busPort: number; readonly id: string };

/** Starts `masters` masters with a replica each on loopback, and waits until all agree that the cluster is whole. */
export async function startTestRedisCluster(masters = 3): Promise<TestRedisCluster> {
  const nodes: Node[] = [];
  const close = async () => {
    for (const { client, redis } of nodes) {
      await closeRedis(client);
      await redis.close();
    }
  };
  try {
    for (let i = 0; i < 2 * masters; i += 1) nodes.push(await startNode());
    await form(nodes, masters);
  } catch (error) {
    await close();
    throw error;
  }
  const alive = new Set(nodes);

  async function owner(slot: number): Promise<number> {
    for (const { client } of alive) {
      const ranges = (await client.call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][];
      const range = ranges.find(([from, to]) => from <= slot && slot <= to);
      const id = range?.[2][2];
      return nodes.findIndex((node) => node.id === id);
    }
    throw new Error('no node of the cluster is left');
  }

  const slotOf = async (key: string) => Number(await [...alive][0]?.client.call('CLUSTER', 'KEYSLOT', key));
  const node = (index: number): Node => {
    const found = nodes[index];
    if (!found) throw new Error(`the cluster has no node ${index}`);
    return found;
  };

  return {
    url: `redis+cluster://${nodes.map(({ redis }) => `127.0.0.1:${redis.port}`).join(',')}`,
    masterOf: async (key) => owner(await slotOf(key)),
    async moveSlot(key, to) {
      const slot = await slotOf(key);
      const from = node(await owner(slot));
      await migrate(slot, from, node(to), alive);
    },
    async killMaster(index) {
      const dead = node(index);
      alive.delete(dead);
      await untilReplicated(dead.client);
      await dead.redis.kill();
      await waitFor(() => isWhole([...alive], dead.id), { what: 'the replica to take over', withinMs: 120_000 });
    },
    close,
  };
}

async function startNode(): Promise<Node> {
  const busPort = await reservePort();
  const redis = await startTestRedis({
    config: {
      'cluster-enabled': 'yes',
      'cluster-port': String(busPort),
      'cluster-node-timeout': String(DOWN_MS),
      'cluster-announce-ip': '127.0.0.1',
    },
  });
  const client = openRedis(redis.url, 'shared');
  const id = String(await client.call('CLUSTER', 'MYID'));
  return { redis, client, busPort, id };
}

async function form(nodes: readonly Node[], masters: number): Promise<void> {
  const [first] = nodes;
  for (const [i, { client }] of nodes.slice(0, masters).entries()) {
    const from = Math.floor((SLOTS * i) / masters);
    const to = Math.floor((SLOTS * (i + 1)) / masters) - 1;
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
    await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
  }
  for (const { redis, busPort } of nodes.slice(1)) {
    await first?.client.call('CLUSTER', 'MEET', '127.0.0.1', redis.port, busPort);
  }
  for (const [i, { client }] of nodes.slice(masters).entries()) {
    const id = nodes[i]?.id ?? '';
    await waitFor(async () => (await client.call('CLUSTER', 'REPLICATE', id)) === 'OK', { what: 'a replica to join' });
  }
  await waitFor(() => isWhole(nodes, ''), { what: 'the cluster to form', withinMs: 120_000 });
}

/** Whether each node sees every slot served by a master other than `dead`, and replicas are attached. */
async function isWhole(nodes: readonly Node[], dead: string): Promise<boolean> {
  for (const { client } of nodes) {
    if (!String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) return false;
    const ranges = (await client.call('CLUSTER', 'SLOTS')) as [
      number,
      number,
      [string, number, string],
      ...unknown[],
    ][];
    if (ranges.some(([, , master]) => master[2] === dead)) return false;
    if (dead === '' && ranges.some((range) => range.length < 4)) return false;
  }
  return true;
}

/** From here on the master acknowledges no write, and its replica has all before: a cluster promises nothing of what one had not. */
async function untilReplicated(master: Redis): Promise<void> {
  await master.call('CLIENT', 'PAUSE', PAUSE_MS, 'WRITE');
  const hasAll = async () => {
    const told = await master.info('replication');
    const offset = /^master_repl_offset:(\d+)/m.exec(told)?.[1];
    return /^slave0:.*state=online,offset=(\d+)/m.exec(told)?.[1] === offset;
  };
  await waitFor(hasAll, { what: 'the replica to read what was written', everyMs: 5 });
}

async function migrate(slot: number, from: Node, to: Node, all: ReadonlySet<Node>): Promise<void> {
  await to.client.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
  await from.client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
  for (;;) {
    const keys = (await from.client.call('CLUSTER', 'GETKEYSINSLOT', slot, KEYS_AT_ONCE)) as string[];
    if (keys.length === 0) break;
    await from.client.call('MIGRATE', '127.0.0.1', to.redis.port, '', 0, MIGRATE_MS, 'KEYS', ...keys);
  }
  // The new owner first, or both would send clients to each other for a moment.
  const masters = [...all].filter((node) => node !== to);
  await to.client.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
  for (const { client } of masters) await client.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id).catch(() => {});
}
