import { setTimeout as pause } from 'node:timers/promises';
import { closeRedis, openRedis, type Redis, redisReady } from '@pinegate/runtime';
import type { Stack, StackOptions } from '../../tests/stack/start-stack.ts';
import type { Bench, BenchInput } from '../harness/bench.ts';
import { storedBytes } from '../harness/redis-memory.ts';
import { startBenchStack } from '../harness/start-bench-stack.ts';
import { prepareUpload } from '../harness/upload.ts';

/**
 * Bytes of Redis per operation that waits, all that it needs included (record, chunk, job, its part of a batch), and per access that has
 * settled and is only remembered. Every size has a Redis of its own; rows come over REST, and a worker settles them. The history, which
 * keeps the last 100,000 operations of an account whatever their number, is counted apart.
 */
const SCRIPT = `PUB;${'0'.repeat(32)}`;
const DATE = '2031-05-01T00:00:00.000Z';
const WARM_SCRIPT = `PUB;${'1'.repeat(32)}`;
const SCRIPTS = [SCRIPT, WARM_SCRIPT];
/** Enough to load every Lua script and to open every queue: what these cost once is no cost of an operation. */
const WARM_ROWS = 100;
const HISTORY = '{pinegate:bench}:history';
/** Memory is read when it has stayed the same for so long. */
const QUIET_MS = 500;

export const bench: Bench = {
  summary: 'bytes of Redis per pending operation and per settled access',
  options: { pending: { type: 'string' }, settled: { type: 'string' } },
  smoke: { pending: '5000', settled: '2000' },
  maxMs: () => 20 * 60_000,
  async run({ flags, seed, tell, report, signal }) {
    for (const rows of sizes(flags.pending ?? '10000,100000,1000000')) {
      tell(`${rows} pending`);
      // Without cookies the account is parked: what it accepts waits.
      await withStack({ workers: 0, seed, accounts: [] }, async (stack, redis) => {
        await stack.call('PUT', '/v1/accounts/bench', { body: { scripts: SCRIPTS } });
        await upload(stack, WARM_SCRIPT, WARM_ROWS);
        const before = await quietBytes(redis, signal);
        await upload(stack, SCRIPT, rows);
        const bytes = (await quietBytes(redis, signal)) - before;
        report({ 'pending operations': rows, MB: bytes / 2 ** 20, 'bytes/operation': bytes / rows });
      });
    }
    for (const rows of sizes(flags.settled ?? '10000,100000')) {
      tell(`${rows} settled`);
      await withStack({ workers: 1, seed, accounts: [{ id: 'bench', scripts: SCRIPTS }] }, async (stack, redis) => {
        const historyBytes = async () => Number(await redis.memory('USAGE', HISTORY, 'SAMPLES', 0));
        await stack.drained(await upload(stack, WARM_SCRIPT, WARM_ROWS));
        const before = { all: await quietBytes(redis, signal), history: await historyBytes() };
        await stack.drained(await upload(stack, SCRIPT, rows));
        const all = (await quietBytes(redis, signal)) - before.all;
        const history = (await historyBytes()) - before.history;
        const bytes = all - history;
        report({
          'settled accesses': rows,
          MB: bytes / 2 ** 20,
          'bytes/access': bytes / rows,
          'history, bytes/operation': history / Math.min(rows, 100_000),
        });
      });
    }
  },
};

function sizes(flag: string | boolean): number[] {
  return String(flag).split(',').filter(Boolean).map(Number);
}

async function withStack(options: StackOptions, measure: (stack: Stack, redis: Redis) => Promise<void>): Promise<void> {
  const stack = await startBenchStack(options);
  const redis = openRedis(stack.redis.url, 'shared');
  try {
    await redisReady(redis);
    await measure(stack, redis);
  } finally {
    await closeRedis(redis);
    await stack.stop();
  }
}

async function upload(stack: Stack, script: string, rows: number): Promise<string> {
  const order = { url: `${stack.apiUrl}/v1/batches`, key: stack.adminKey, type: 'text/csv', rows };
  const header = 'action,script,username,expires_at\n';
  const prepared = await prepareUpload({ ...order, header, line: `grant,${script},member_%,${DATE}\n` });
  const { status, text } = await prepared.send();
  if (status !== 202) throw new Error(`the batch was not accepted: ${status} ${text}`);
  return JSON.parse(text).id;
}

async function quietBytes(redis: Redis, signal: BenchInput['signal']): Promise<number> {
  for (let last = Number.NaN; ; ) {
    const bytes = await storedBytes(redis);
    if (Math.abs(bytes - last) < 4_096) return bytes;
    last = bytes;
    await pause(QUIET_MS, undefined, { signal });
  }
}
