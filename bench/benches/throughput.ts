import { resolve } from 'node:path';
import type { TestRedis } from '@pinegate/testing';
import { type Stack, UNLIMITED } from '../../tests/stack/start-stack.ts';
import type { Bench, BenchInput, Row } from '../harness/bench.ts';
import { cpuMs } from '../harness/cpu-time.ts';
import { grantBatch } from '../harness/grant-batch.ts';
import { median } from '../harness/median.ts';
import { rewriteAppendOnlyFile } from '../harness/rewrite-append-only-file.ts';
import { startBenchRedis, startBenchStack } from '../harness/start-bench-stack.ts';
import { rivalSetup, startRival } from '../harness/start-rival.ts';

/**
 * How many operations a second are brought about where nothing limits them but the machine: Pinegate, a bare loop of the same calls, and
 * the usual build of one operation a job, without and with a ledger. All against one sandbox, a round of each after the other, each in
 * processes that have been warmed up and with a Redis of its own, so that none pays for what another keeps; from the first byte sent until
 * the last operation has settled.
 */
const SCRIPT = `PUB;${'0'.repeat(32)}`;
/** What a worker may have in flight, and the bare loop too: where nothing but the machine is the limit, four times the default. */
const IN_FLIGHT = 800;
/** How often the end is looked for, by all sides alike: every look is work for the machine that is measured. */
const LOOK_MS = 100;
/** The account's cap, over all workers: none. */
const UNCAPPED = 1_000;
/** So many that every process runs compiled code before anything is measured. */
const WARM_ROWS = 40_000;
/** And so many before each round: while the others had theirs, a process has forgotten what it had compiled. */
const AGAIN_WARM_ROWS = 10_000;
/** Rivals by side. Those that have jobs keep them in Redis, and run in as many processes as there are workers. */
const RIVALS: Readonly<Record<string, { readonly hasJobs: boolean }>> = {
  loop: { hasJobs: false },
  jobs: { hasJobs: true },
  'jobs-ledger': { hasJobs: true },
};

interface Side {
  readonly name: string;
  readonly pids: readonly number[];
  /** null: it has none. */
  readonly redis: TestRedis | null;
  /** Seconds that so many grants take. */
  run(names: string, count: number): Promise<number>;
  stop(): Promise<void>;
}

export const bench: Bench = {
  summary: 'operations a second without a limit, against a bare loop and the usual builds',
  options: {
    rounds: { type: 'string' },
    rows: { type: 'string' },
    sides: { type: 'string' },
    workers: { type: 'string' },
    /** Of each api and worker; above 1 the CPU times are those of the processes that supervise. */
    processes: { type: 'string' },
    profile: { type: 'string' },
  },
  smoke: { rounds: '1', rows: '300' },
  maxMs: () => 20 * 60_000,
  async run(input) {
    const { flags, seed } = input;
    const workers = Number(flags.workers ?? 1);
    const profile = `--cpu-prof --cpu-prof-dir=${resolve(String(flags.profile))}`;
    const env: Record<string, string> = {
      PROCESSES: String(flags.processes ?? 1),
      WORKER_IN_FLIGHT: String(IN_FLIGHT),
      ...(flags.profile ? { NODE_OPTIONS: profile } : {}),
    };
    const config = { budgets: UNLIMITED, maxInFlight: UNCAPPED };
    const stack = await startBenchStack({ workers, seed, env, accounts: [{ id: 'bench', scripts: [SCRIPT], config }] });
    const sides: Side[] = [];
    try {
      // Nobody reads its log of writes here, and what it keeps of each would have to be looked at whenever it collects its garbage.
      await stack.sandbox('POST', '/__sandbox/configure', { writeLogSize: 1_000 });
      for (const name of String(flags.sides ?? ['pinegate', ...Object.keys(RIVALS)]).split(',')) {
        sides.push(await openSide(stack, name, workers));
      }
      await compare(input, stack, sides);
    } finally {
      for (const side of sides) await side.stop();
      await stack.stop();
    }
  },
};

async function openSide(stack: Stack, name: string, workers: number): Promise<Side> {
  if (name === 'pinegate') {
    const pids = stack.workers.map(({ pid }) => pid);
    const run = (names: string, count: number) => grantBatch(stack, SCRIPT, names, count, LOOK_MS);
    return { name, pids, redis: stack.redis, run, async stop() {} };
  }
  const kind = RIVALS[name];
  if (!kind) throw new RangeError(`no side ${name}: there are pinegate, ${Object.keys(RIVALS).join(', ')}`);
  const redis = kind.hasJobs ? await startBenchRedis() : null;
  const setup = { ...rivalSetup(stack, 'bench', SCRIPT), rival: name, inFlight: IN_FLIGHT };
  const rival = await startRival({ ...setup, redisUrl: redis?.url ?? setup.redisUrl }, kind.hasJobs ? workers : 1);
  return {
    name,
    pids: rival.pids,
    redis,
    run: async (names, count) => (await rival.run({ names, count })).ms / 1000,
    async stop() {
      await rival.stop();
      await redis?.close();
    },
  };
}

async function compare(input: BenchInput, stack: Stack, sides: readonly Side[]) {
  const { flags, tell, report, signal } = input;
  const rounds = Number(flags.rounds ?? 5);
  const count = Number(flags.rows ?? 100_000);
  const rates = new Map(sides.map(({ name }) => [name, [] as number[]]));
  for (const side of sides) await side.run(`${side.name}_warm`, Math.min(count, WARM_ROWS));
  for (let round = 1; round <= rounds; round++) {
    for (const side of sides) {
      signal.throwIfAborted();
      await side.run(`${side.name}_warm_${round}`, Math.min(count, AGAIN_WARM_ROWS));
      if (side.redis) await rewriteAppendOnlyFile(side.redis.url);
      const row = await measure(stack, side, round, count);
      rates.get(side.name)?.push(Number(row['op/s']));
      report(row);
      tell(`round ${round} of ${rounds}, ${side.name}: ${row['op/s']} op/s`);
    }
  }
  const middle = (name: string) => median(rates.get(name) ?? []);
  const share = (name: string, of: string) =>
    rates.has(of) ? Math.round((middle(name) / middle(of)) * 100) / 100 : null;
  for (const [name, all] of rates) {
    const spread = { lowest: Math.min(...all), highest: Math.max(...all) };
    report({
      side: name,
      'median op/s': middle(name),
      ...spread,
      '× loop': share(name, 'loop'),
      '× jobs': share(name, 'jobs'),
    });
  }
}

async function measure(stack: Stack, side: Side, round: number, count: number): Promise<Row> {
  const { name, run } = side;
  const before = await cpuOf(stack, side);
  const seconds = await run(`${name}_${round}`, count);
  const after = await cpuOf(stack, side);
  const each = (process: keyof typeof after) => Math.round(((after[process] - before[process]) * 1000) / count);
  return {
    round,
    side: name,
    operations: count,
    'op/s': Math.round(count / seconds),
    'own µs/op': each('own'),
    'api µs/op': each('api'),
    'redis µs/op': each('redis'),
    'sandbox µs/op': each('sandbox'),
  };
}

/** CPU time so far by process, ms; `own` of all the side's processes together. */
async function cpuOf({ api, sandbox }: Stack, { pids, redis }: Side) {
  const { body } = await sandbox('GET', '/__sandbox/counters');
  return {
    own: pids.reduce((total, pid) => total + cpuMs(pid), 0),
    api: cpuMs(api.pid),
    redis: redis?.pid ? cpuMs(redis.pid) : 0,
    sandbox: Number(body.process.cpuMs),
  };
}
