import { setTimeout as pause } from 'node:timers/promises';
import { closeRedis, openRedis } from '@pinegate/runtime';
import { waitFor } from '@pinegate/testing';
import type { Stack } from '../../tests/stack/start-stack.ts';
import type { Bench } from '../harness/bench.ts';
import { cpuMs } from '../harness/cpu-time.ts';
import { grantUsers } from '../harness/grant-batch.ts';
import { startBenchStack } from '../harness/start-bench-stack.ts';

/**
 * What many accounts cost: connections to Redis once all of them are served, processor time of a worker while nothing is to do, and how long one
 * batch over all of them takes, from the upload until it has settled.
 */
const IDLE_MS = 10_000;
const READY_MS = 120_000;
const scriptOf = (n: number) => `PUB;${n.toString(16).padStart(32, '0')}`;

export const bench: Bench = {
  summary: 'connections, idle processor time and one batch over many accounts',
  options: { accounts: { type: 'string' }, workers: { type: 'string' }, rows: { type: 'string' } },
  smoke: { accounts: '10', workers: '2', rows: '5' },
  maxMs: () => 10 * 60_000,
  async run({ flags, seed, tell, report, signal }) {
    const workers = Number(flags.workers ?? 4);
    const rows = Number(flags.rows ?? 20);
    for (const count of String(flags.accounts ?? '20,50,200')
      .split(',')
      .map(Number)) {
      tell(`${count} accounts, ${workers} workers`);
      const accounts = Array.from({ length: count }, (_, n) => ({ id: `account-${n}`, scripts: [scriptOf(n)] }));
      const stack = await startBenchStack({ workers, seed, accounts });
      try {
        const connections = await settledConnections(stack);
        const before = cpuOf(stack);
        await pause(IDLE_MS, undefined, { signal });
        const idle = (cpuOf(stack) - before) / IDLE_MS / workers;
        const seconds = await grantUsers(stack, usersOf(count, rows));
        report({
          accounts: count,
          workers,
          'Redis connections': connections,
          'idle, % of a core and worker': 100 * idle,
          operations: count * rows,
          'settled, s': seconds,
        });
      } finally {
        await stack.stop();
      }
    }
  },
};

const cpuOf = ({ workers }: Stack) => workers.reduce((total, { pid }) => total + cpuMs(pid), 0);

/** Connections once their number stands still: workers take up accounts one after another. */
async function settledConnections(stack: Stack): Promise<number> {
  const redis = openRedis(stack.redis.url, 'producer');
  try {
    const counted = async () => Number(/connected_clients:(\d+)/.exec(await redis.info('clients'))?.[1]);
    let last = -1;
    const isSteady = async () => {
      const now = await counted();
      const same = now === last;
      last = now;
      return same ? now : undefined;
    };
    return await waitFor(isSteady, { what: 'connections to settle', everyMs: 5_000, withinMs: READY_MS });
  } finally {
    await closeRedis(redis);
  }
}

/** So many users of every account, one account after the other. */
function usersOf(accounts: number, rows: number): (readonly [string, string])[] {
  const each = Array.from({ length: accounts }, (_, n) => n);
  return Array.from({ length: rows }, (_, i) => each.map((n) => [scriptOf(n), `user_${n}_${i}`] as const)).flat();
}
