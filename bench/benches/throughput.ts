import { resolve } from 'node:path';
import { type Stack, startStack } from '../../tests/stack/start-stack.ts';
import type { Bench } from '../harness/bench.ts';
import { cpuMs } from '../harness/cpu-time.ts';

/**
 * How many operations a second the workers bring about where nothing limits them but the machine: one batch of grants, counted by the api,
 * after a first batch that warms every process up; and what an operation costs each process in CPU time.
 */
const SCRIPT = `PUB;${'0'.repeat(32)}`;
const DATE = '2031-05-01T00:00:00.000Z';

export const bench: Bench = {
  summary: 'operations a second without a limit, CPU time per operation',
  options: {
    workers: { type: 'string' },
    rows: { type: 'string' },
    latency: { type: 'string' },
    profile: { type: 'string' },
  },
  smoke: { workers: '1', rows: '500' },
  maxMs: () => 10 * 60_000,
  async run({ flags, seed, tell, report }) {
    for (const workers of String(flags.workers ?? '1,2')
      .split(',')
      .map(Number)) {
      const count = Number(flags.rows ?? 40_000);
      tell(`${workers} workers, ${count} grants`);
      const profile = `--cpu-prof --cpu-prof-dir=${resolve(String(flags.profile))}`;
      const env: Record<string, string> = flags.profile ? { NODE_OPTIONS: profile } : {};
      const stack = await startStack({ workers, seed, env, accounts: [{ id: 'bench', scripts: [SCRIPT] }] });
      try {
        await stack.sandbox('POST', '/__sandbox/configure', { latency: { fixed: Number(flags.latency ?? 0) } });
        const drain = async (kind: string) => {
          const lines = Array.from({ length: count }, (_, i) => `grant,${SCRIPT},${kind}_${i},${DATE}\n`);
          const raw = `action,script,username,expires_at\n${lines.join('')}`;
          const posted = await stack.call('POST', '/v1/batches', { headers: { 'content-type': 'text/csv' }, raw });
          return stack.drained(posted.body.id);
        };
        await drain('warm');
        const before = await cpuOf(stack);
        const startedAt = performance.now();
        await drain('user');
        const seconds = (performance.now() - startedAt) / 1000;
        const after = await cpuOf(stack);
        const each = (app: keyof typeof after) => Math.round(((after[app] - before[app]) * 1000) / count);
        report({
          workers,
          operations: count,
          seconds,
          'op/s': Math.round(count / seconds),
          'worker µs/op': each('worker'),
          'api µs/op': each('api'),
          'redis µs/op': each('redis'),
          'sandbox µs/op': each('sandbox'),
        });
      } finally {
        await stack.stop();
      }
    }
  },
};

/** CPU time so far by process, ms; of all workers together. */
async function cpuOf({ workers, api, redis, sandbox }: Stack) {
  const { body } = await sandbox('GET', '/__sandbox/counters');
  return {
    worker: workers.reduce((total, { pid }) => total + cpuMs(pid), 0),
    api: cpuMs(api.pid),
    redis: cpuMs(redis.pid ?? 0),
    sandbox: Number(body.process.cpuMs),
  };
}
