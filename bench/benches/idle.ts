import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { TestProcess } from '@pinegate/testing';
import { startDashboard } from '../../tests/stack/start-dashboard.ts';
import type { Bench } from '../harness/bench.ts';
import { countCommands } from '../harness/count-commands.ts';
import { cpuMs } from '../harness/cpu-time.ts';
import { startBenchStack } from '../harness/start-bench-stack.ts';

/**
 * What a whole stack costs that has nothing to do: an api, two workers and a dashboard over 20 active accounts. Commands are those that
 * clients send; they are counted after the processor time has been read, because counting them costs Redis something.
 */
const WORKERS = 2;
const SHOWN = 12;

export const bench: Bench = {
  summary: 'processor time and Redis commands of a stack with nothing to do',
  options: {
    accounts: { type: 'string' },
    seconds: { type: 'string' },
    settle: { type: 'string' },
    profile: { type: 'string' },
  },
  smoke: { accounts: '3', seconds: '2', settle: '1' },
  maxMs: () => 15 * 60_000,
  async run({ flags, seed, tell, report, signal }) {
    const count = Number(flags.accounts ?? 20);
    const seconds = Number(flags.seconds ?? 120);
    const accounts = Array.from({ length: count }, (_, n) => ({ id: `idle-${n}`, scripts: [scriptOf(n)] }));
    const secretKey = randomBytes(32).toString('base64');
    const profile = `--cpu-prof --cpu-prof-dir=${resolve(String(flags.profile))}`;
    const env = { PINEGATE_SECRET_KEY: secretKey, ...(flags.profile ? { NODE_OPTIONS: profile } : {}) };
    const stack = await startBenchStack({ workers: WORKERS, seed, env, accounts });
    let dashboard: TestProcess | null = null;
    try {
      dashboard = (await startDashboard(stack, secretKey)).process;
      const pids: Readonly<Record<string, number>> = {
        api: stack.api.pid,
        ...Object.fromEntries(stack.workers.map(({ pid }, n) => [`worker ${n + 1}`, pid])),
        dashboard: dashboard.pid,
        redis: stack.redis.pid ?? 0,
      };
      tell(`${count} accounts; processor time of ${seconds} s`);
      await pause(Number(flags.settle ?? 15) * 1000, undefined, { signal });
      const before = Object.values(pids).map(cpuMs);
      await pause(seconds * 1000, undefined, { signal });
      const share = Object.values(pids).map((pid, i) => (cpuMs(pid) - (before[i] ?? 0)) / (seconds * 10));
      tell(`commands of ${seconds} s`);
      const commands = await countCommands(stack.redis.url, seconds, signal);
      const sent = [...commands.values()].reduce((sum, n) => sum + n, 0);
      const all = share.reduce((sum, one) => sum + one, 0);
      report({ accounts: count, '% of a core': all, 'commands/s': sent / seconds });
      for (const [i, process] of Object.keys(pids).entries()) report({ process, '% of a core': share[i] ?? 0 });
      const most = [...commands].sort((a, b) => b[1] - a[1]).slice(0, SHOWN);
      for (const [command, n] of most) report({ command, 'sent/s': n / seconds });
    } finally {
      await dashboard?.stop();
      await stack.stop();
    }
  },
};

function scriptOf(n: number): string {
  return `PUB;${n.toString(16).padStart(32, '0')}`;
}
