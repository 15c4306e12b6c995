import { closeRedis, openRedis } from '@pinegate/runtime';
import { waitFor } from '@pinegate/testing';
import { type Stack, startStack } from '../../tests/stack/start-stack.ts';
import type { Bench } from '../harness/bench.ts';
import { cpuMs } from '../harness/cpu-time.ts';

/**
 * What many accounts cost: connections to Redis once all of them are served, processor time of a worker while nothing is to do, and how long one
 * batch over all of them takes, from the upload until it has settled.
 */
const DATE = '2031-05-01T00:00:00.000Z';
const IDLE_MS = 10_000;
const READY_MS = 120_000;
const scriptOf = (n: number) => `PUB;${n.toString(16).padStart(32, '0')}`;

export const bench: Bench = {
  summary: 'connections, idle processor time and one batch over many accounts',
  options: { accounts: { type: 'string' }, workers: { type: 'string' }, rows: { type: 'string' } },
  smoke: { accounts: '10', workers: '2', rows: '5' },
  maxMs: () => 10 * 60_000,
  async run({ flags, seed, tell, report }) {
    const workers = Number(flags.workers ?? 4);
    const rows = Number(flags.rows ?? 20);
    for (const count of String(flags.accounts ?? '20,50,200')
      .split(',')
      .map(Number)) {
      tell(`${count} accounts, ${workers} workers`);
      const accounts = Array.from({ length: count }, (_, n) => ({ id: `account-${n}`, scripts: [scriptOf(n)] }));
      const stack = await startStack({ workers, seed, accounts });
      try {
        const connections = await settledConnections(stack);
        const before = cpuOf(stack);
        await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
        const idle = (cpuOf(stack) - before) / IDLE_MS / workers;
        const startedAt = performance.now();
        await drain(stack, count, rows);
        const seconds = (performance.now() - startedAt) / 1000;
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

async function drain(stack: Stack, accounts: number, rows: number): Promise<void> {
  const lines = Array.from({ length: rows }, (_, i) =>
    Array.from({ length: accounts }, (__, n) => `grant,${scriptOf(n)},user_${n}_${i},${DATE}\n`).join(''),
  );
  const raw = `action,script,username,expires_at\n${lines.join('')}`;
  const { body } = await stack.call('POST', '/v1/batches', { headers: { 'content-type': 'text/csv' }, raw });
  const done = await stack.drained(body.id);
  if (done.outcomes.granted !== accounts * rows)
    throw new Error(`not all was granted: ${JSON.stringify(done.outcomes)}`);
}
