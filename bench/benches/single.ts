import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Stack } from '../../tests/stack/start-stack.ts';
import type { Bench, BenchInput, Row } from '../harness/bench.ts';
import { cpuMs } from '../harness/cpu-time.ts';
import { type LoadResult, runLoad } from '../harness/load.ts';
import { median, quantile } from '../harness/median.ts';
import { startBenchStack } from '../harness/start-bench-stack.ts';

/**
 * Single grants over REST, each to another user: how many a second the api answers 202 to on 64 connections that are never idle, and how
 * long an answer takes at 1,000 a second. The account has no cookies, so what is accepted waits, and the api and Redis have the machine
 * to themselves but for the client, which says what it costs.
 */
const SCRIPT = `PUB;${'0'.repeat(32)}`;
const BODY = JSON.stringify({ expiresAt: '2031-05-01T00:00:00.000Z' });
const CONNECTIONS = 64;
const WARM_SECONDS = 4;

export const bench: Bench = {
  summary: 'PUT requests a second and their latency, by processes of the api',
  options: {
    processes: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    rate: { type: 'string' },
    connections: { type: 'string' },
    profile: { type: 'string' },
  },
  smoke: { processes: '1', rounds: '1', seconds: '1' },
  maxMs: () => 20 * 60_000,
  async run(input) {
    const { flags, report, seed } = input;
    const rounds = Number(flags.rounds ?? 5);
    const processes = String(flags.processes ?? '1,2').split(',');
    const profile = `--cpu-prof --cpu-prof-dir=${resolve(String(flags.profile))}`;
    const found = new Map<string, Measured[]>(processes.map((count) => [count, []]));
    for (let round = 1; round <= rounds; round++) {
      for (const [count, all] of found) {
        const env = { PROCESSES: count, ...(flags.profile ? { NODE_OPTIONS: profile } : {}) };
        const stack = await startBenchStack({ workers: 0, seed, env, accounts: [] });
        try {
          all.push(await measure(stack, input));
          input.tell(`round ${round}, ${count} processes: ${JSON.stringify(all.at(-1))}`);
        } finally {
          await stack.stop();
        }
      }
    }
    for (const [count, all] of found) report({ processes: Number(count), rounds, ...mediansOf(all) });
  },
};

type Measured = Readonly<Record<string, number>>;

function mediansOf(all: readonly Measured[]): Row {
  const names = Object.keys(all[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, median(all.map((one) => one[name] ?? Number.NaN))]));
}

async function measure(stack: Stack, { flags, signal }: BenchInput): Promise<Measured> {
  signal.throwIfAborted();
  // A key without a limit of its own may make 10,000 requests a second.
  await stack.call('PUT', '/v1/accounts/bench', { body: { scripts: [SCRIPT] } });
  const seconds = Number(flags.seconds ?? 8);
  const rate = Number(flags.rate ?? 1_000);
  const connections = Number(flags.connections ?? CONNECTIONS);
  const put = putting(stack);
  await put({ connections, perSecond: null, seconds: Math.min(WARM_SECONDS, seconds), first: 0 });
  const pids = [stack.api.pid, ...childrenOf(stack.api.pid)];
  const cpu = () => ({ api: pids.reduce((sum, pid) => sum + cpuMs(pid), 0), redis: cpuMs(stack.redis.pid ?? 0) });
  const before = cpu();
  const full = await put({ connections, perSecond: null, seconds, first: 1e6 });
  const after = cpu();
  const steady = await put({ connections, perSecond: rate, seconds, first: 2e6 });
  const each = (ms: number) => (ms * 1000) / full.took.length;
  return {
    'requests/s': Math.round(full.took.length / full.seconds),
    'p50, ms': quantile(full.took, 0.5),
    'p99, ms': quantile(full.took, 0.99),
    [`p50 at ${rate}/s, ms`]: quantile(steady.took, 0.5),
    [`p99 at ${rate}/s, ms`]: quantile(steady.took, 0.99),
    'api µs/request': each(after.api - before.api),
    'redis µs/request': each(after.redis - before.redis),
    'client µs/request': each(full.cpuMs),
  };
}

function putting({ apiUrl, adminKey }: Stack) {
  const { hostname, port } = new URL(apiUrl);
  const path = `/v1/scripts/${encodeURIComponent(SCRIPT)}/access/user_`;
  const head = [`PUT ${path}# HTTP/1.1`, `host: ${hostname}:${port}`, `authorization: Bearer ${adminKey}`];
  const lines = [...head, 'content-type: application/json', ''].join('\r\n');
  return async (how: {
    readonly connections: number;
    readonly perSecond: number | null;
    readonly seconds: number;
    readonly first: number;
  }): Promise<LoadResult> => {
    const result = await runLoad({ host: hostname, port: Number(port), head: lines, body: BODY, ...how });
    if (Object.keys(result.statuses).join() !== '202') throw new Error(`answers: ${JSON.stringify(result.statuses)}`);
    return result;
  };
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}
