import { setTimeout as pause } from 'node:timers/promises';
import type { Stack } from '../../tests/stack/start-stack.ts';
import type { Bench } from '../harness/bench.ts';
import { quantile } from '../harness/median.ts';
import { startBenchStack } from '../harness/start-bench-stack.ts';

/**
 * How long single operations wait while 25,000 rows of a migration are under way: grants one after another, each sent at a random moment, from
 * when the request is sent until its answer says that it has settled.
 */
const SCRIPT = `PUB;${'0'.repeat(32)}`;
const DATE = '2031-05-01T00:00:00.000Z';
const LATENCY_MS = 150;
const WARM_MS = 5_000;

export const bench: Bench = {
  summary: 'wait of single operations under a backlog',
  options: {
    workers: { type: 'string' },
    rate: { type: 'string' },
    backlog: { type: 'string' },
    singles: { type: 'string' },
  },
  smoke: { workers: '1', backlog: '500', singles: '5' },
  maxMs: () => 15 * 60_000,
  async run({ flags, seed, tell, report, signal }) {
    const rate = Number(flags.rate ?? 50);
    const backlog = Number(flags.backlog ?? 25_000);
    const singles = Number(flags.singles ?? 200);
    for (const workers of String(flags.workers ?? '1,4')
      .split(',')
      .map(Number)) {
      tell(`${workers} workers, ${singles} single operations under ${backlog} rows at ${rate}/s`);
      const budget = { start: rate, adaptive: false };
      const config = { budgets: { grant: budget, revoke: budget }, maxInFlight: 200 };
      const stack = await startBenchStack({ workers, seed, accounts: [{ id: 'bench', scripts: [SCRIPT], config }] });
      try {
        await stack.sandbox('POST', '/__sandbox/configure', { latency: { fixed: LATENCY_MS } });
        await submitBacklog(stack, backlog);
        await pause(WARM_MS, undefined, { signal });
        const waits: number[] = [];
        for (let i = 0; i < singles; i++) {
          waits.push(await waitOf(stack, `single_${i}`));
          await pause((Math.random() * 2000) / rate, undefined, { signal });
        }
        const target = LATENCY_MS + 1000 / rate + 300;
        report({ workers, 'limit/s': rate, singles, ...percentiles(waits), 'p99 to reach, ms': target });
      } finally {
        await stack.stop();
      }
    }
  },
};

async function submitBacklog(stack: Stack, rows: number): Promise<void> {
  const lines = Array.from({ length: rows }, (_, i) => `grant,${SCRIPT},backlog_${i},${DATE}\n`);
  const raw = `action,script,username,expires_at\n${lines.join('')}`;
  const { body } = await stack.call('POST', '/v1/batches', { headers: { 'content-type': 'text/csv' }, raw });
  if (body.accepted !== rows) throw new Error(`the backlog was not accepted: ${JSON.stringify(body)}`);
}

async function waitOf(stack: Stack, username: string): Promise<number> {
  const startedAt = performance.now();
  const path = `/v1/scripts/${encodeURIComponent(SCRIPT)}/access/${username}`;
  const { status } = await stack.call('PUT', path, { headers: { prefer: 'wait=20' }, body: { expiresAt: DATE } });
  if (status !== 200) throw new Error(`a single operation had not settled after 20 s (${status})`);
  return performance.now() - startedAt;
}

function percentiles(waits: readonly number[]) {
  const at = (share: number) => Math.round(quantile(waits, share));
  return { 'p50, ms': at(0.5), 'p99, ms': at(0.99), 'worst, ms': at(1) };
}
