import { type Stack, UNLIMITED } from '../../tests/stack/start-stack.ts';
import type { Bench, BenchInput } from '../harness/bench.ts';
import { grantBatch } from '../harness/grant-batch.ts';
import { median } from '../harness/median.ts';
import { startBenchStack } from '../harness/start-bench-stack.ts';
import { rivalSetup, startRival } from '../harness/start-rival.ts';

/**
 * How many operations a second are brought about where each request takes 150 ms and nothing else limits them: what bounds them is how many
 * may be in flight. Bulk holds 7/8 of the cap, so the bound is 7/8 of the cap over the latency. A bare loop with as many in flight, in as
 * many processes as there are workers, says how much of that the machine and the sandbox allow. The others are what scripts usually do.
 */
const LATENCY_MS = 150;
const WORKERS = 2;
/** What a process may have in flight if nothing else is said; here as many as the largest account. */
const DEFAULT_IN_FLIGHT = 200;
const BULK_SHARE = 7 / 8;
/** The most that bulk of one cap can reach. */
const bound = (cap: number) => (BULK_SHARE * cap * 1000) / LATENCY_MS;

interface Side {
  readonly name: string;
  readonly bound: number | null;
  /** Operations a second of one run. */
  run(names: string, seconds: number): Promise<number>;
  stop(): Promise<void>;
}

export const bench: Bench = {
  summary: 'operations a second at 150 ms a request, against sequential and batched clients',
  options: { rounds: { type: 'string' }, seconds: { type: 'string' }, caps: { type: 'string' } },
  smoke: { rounds: '1', seconds: '1' },
  maxMs: () => 20 * 60_000,
  async run(input) {
    const caps = String(input.flags.caps ?? '24,400')
      .split(',')
      .map(Number);
    const accounts = caps.map((cap, i) => ({
      id: `cap${cap}`,
      scripts: [scriptOf(i)],
      config: { budgets: UNLIMITED, maxInFlight: cap },
    }));
    const env = { WORKER_IN_FLIGHT: String(Math.max(DEFAULT_IN_FLIGHT, ...caps)) };
    const stack = await startBenchStack({ workers: WORKERS, seed: input.seed, env, accounts });
    const sides: Side[] = caps.map((cap, i) => pinegate(stack, cap, scriptOf(i)));
    try {
      const most = Math.max(...caps);
      sides.push(await openLoop(stack, most, scriptOf(caps.indexOf(most))));
      for (const rival of ['sequential', 'batcher']) sides.push(await openRival(stack, rival, `cap${caps[0]}`));
      // Warmed up without latency, or it would take minutes: Pinegate with as many operations as a run of it has.
      for (const side of sides) await side.run(`${side.name}_warm`, side.bound === null ? 0.5 : secondsOf(input));
      await stack.sandbox('POST', '/__sandbox/configure', { latency: { fixed: LATENCY_MS } });
      await compare(input, sides);
    } finally {
      for (const side of sides) await side.stop();
      await stack.stop();
    }
  },
};

function secondsOf({ flags }: BenchInput): number {
  return Number(flags.seconds ?? 10);
}

function scriptOf(index: number): string {
  return `PUB;${index.toString(16).padStart(32, '0')}`;
}

function pinegate(stack: Stack, cap: number, script: string): Side {
  return {
    name: `pinegate, cap ${cap}`,
    bound: bound(cap),
    async run(names, seconds) {
      const count = Math.ceil(bound(cap) * seconds);
      return count / (await grantBatch(stack, script, names.replaceAll(/\W/g, '_'), count));
    },
    async stop() {},
  };
}

async function openLoop(stack: Stack, cap: number, script: string): Promise<Side> {
  const setup = { ...rivalSetup(stack, `cap${cap}`, script), rival: 'loop' };
  const inFlight = Math.floor((BULK_SHARE * cap) / WORKERS);
  const loops = await Promise.all(Array.from({ length: WORKERS }, () => startRival({ ...setup, inFlight })));
  return {
    name: `bare loop, ${inFlight * WORKERS} in flight`,
    bound: bound(cap),
    async run(names, seconds) {
      const task = { count: Number.MAX_SAFE_INTEGER, seconds };
      const runs = loops.map((loop, i) => loop.run({ ...task, names: `${names.replaceAll(/\W/g, '_')}_${i}` }));
      return (await Promise.all(runs)).reduce((sum, { done, ms }) => sum + (done * 1000) / ms, 0);
    },
    async stop() {
      for (const loop of loops) await loop.stop();
    },
  };
}

async function openRival(stack: Stack, rival: string, account: string): Promise<Side> {
  const running = await startRival({ ...rivalSetup(stack, account, scriptOf(0)), rival, inFlight: 1 });
  return {
    name: rival,
    bound: null,
    async run(names, seconds) {
      const { done, ms } = await running.run({ names, count: Number.MAX_SAFE_INTEGER, seconds });
      return (done * 1000) / ms;
    },
    stop: running.stop,
  };
}

async function compare(input: BenchInput, sides: readonly Side[]): Promise<void> {
  const { flags, tell, report, signal } = input;
  const rounds = Number(flags.rounds ?? 5);
  const seconds = secondsOf(input);
  const rates = new Map(sides.map((side) => [side, [] as number[]]));
  for (let round = 1; round <= rounds; round++) {
    for (const [side, all] of rates) {
      signal.throwIfAborted();
      const rate = Math.round((await side.run(`${side.name}_${round}`, seconds)) * 10) / 10;
      all.push(rate);
      report({ round, side: side.name, 'op/s': rate });
      tell(`round ${round} of ${rounds}, ${side.name}: ${rate} op/s`);
    }
  }
  for (const [side, all] of rates) {
    const middle = median(all);
    const share = side.bound === null ? null : Math.round((middle / side.bound) * 1000) / 1000;
    const most = side.bound === null ? null : Math.round(side.bound);
    const spread = { lowest: Math.min(...all), highest: Math.max(...all) };
    report({ side: side.name, 'median op/s': middle, ...spread, 'bound op/s': most, 'share of it': share });
  }
}
