import { setTimeout as pause } from 'node:timers/promises';
import type { TestProcess } from '@pinegate/testing';
import { type Stack, UNLIMITED } from '../../tests/stack/start-stack.ts';
import type { BenchInput } from '../harness/bench.ts';
import { cpuMs } from '../harness/cpu-time.ts';
import { median } from '../harness/median.ts';
import { startBenchStack } from '../harness/start-bench-stack.ts';
import { EXPIRES } from '../rivals/rival.ts';

const ACCOUNTS = 4;
/** Requests that one worker may have in flight: what bounds it. */
const IN_FLIGHT = 100;
const ACCOUNT_CAP = 400;
/** Bulk leaves a sixteenth of the room to single operations. */
const BULK_IN_FLIGHT = IN_FLIGHT - Math.floor(IN_FLIGHT / 16);
const LATENCY_MS = 300;
const LOOK_MS = 20;
/** Without the first and the last tenth of a batch, in which not all workers are busy. */
const [FROM, TO] = [0.1, 0.9];

const scriptOf = (n: number) => `PUB;${n.toString(16).padStart(32, '0')}`;

/** One batch over four accounts for each number of workers, several times in turn. */
export async function compareWorkers({ flags, seed, tell, report, signal }: BenchInput): Promise<void> {
  const rounds = Number(flags.rounds ?? 5);
  const seconds = Number(flags.seconds ?? 10);
  const latency = Number(flags.latency ?? LATENCY_MS);
  const counts = String(flags.workers ?? '1,2,4')
    .split(',')
    .map(Number);
  const accounts = Array.from({ length: ACCOUNTS }, (_, n) => ({
    id: `bench-${n}`,
    scripts: [scriptOf(n)],
    config: { budgets: UNLIMITED, maxInFlight: ACCOUNT_CAP },
  }));
  const stack = await startBenchStack({ workers: 1, seed, accounts, env: { WORKER_IN_FLIGHT: String(IN_FLIGHT) } });
  const results = new Map(counts.map((count) => [count, [] as number[]]));
  const bound = (workers: number) => (workers * BULK_IN_FLIGHT * 1000) / latency;
  try {
    const running = [...stack.workers];
    await stack.sandbox('POST', '/__sandbox/configure', { latency: { fixed: latency } });
    // The first round warms every process up.
    for (let round = 0; round <= rounds; round++) {
      for (const [workers, all] of results) {
        signal.throwIfAborted();
        await setWorkers(stack, running, workers);
        const { rate, busy } = await measure(
          stack,
          running,
          `r${round}_w${workers}`,
          Math.ceil(bound(workers) * seconds),
        );
        if (round === 0) continue;
        all.push(rate);
        report({ round, workers, 'op/s': rate, 'busy cores': busy });
        tell(`round ${round}, ${workers} workers: ${rate} op/s, ${busy} cores busy`);
      }
    }
  } finally {
    await stack.stop();
  }
  const one = median(results.get(counts[0] ?? 1) ?? []);
  for (const [workers, all] of results) {
    const rate = median(all);
    const times = Math.round((rate / one) * 100) / 100;
    const share = Math.round((rate / bound(workers)) * 1000) / 1000;
    report({
      workers,
      'median op/s': rate,
      'times the first': times,
      'bound op/s': Math.round(bound(workers)),
      'share of it': share,
    });
  }
}

async function setWorkers(stack: Stack, running: TestProcess[], count: number): Promise<void> {
  while (running.length < count) running.push(await stack.startWorker());
  await Promise.all(running.splice(count).map((worker) => worker.stop()));
}

/** Operations a second between the first and the last tenth, and how many cores api, workers and Redis kept busy. */
async function measure(stack: Stack, workers: readonly TestProcess[], names: string, count: number) {
  const rows = Array.from({ length: count }, (_, n) => `grant,${scriptOf(n % ACCOUNTS)},${names}_${n},${EXPIRES}\n`);
  const raw = `action,script,username,expires_at\n${rows.join('')}`;
  const { body } = await stack.call('POST', '/v1/batches', { headers: { 'content-type': 'text/csv' }, raw });
  const look = async (share: number) => {
    for (;;) {
      const { body: now } = await stack.call('GET', `/v1/batches/${body.id}`);
      const settled = now.total - now.pending;
      if (settled >= share * count) return { settled, at: performance.now(), cpu: await cpuOf(stack, workers) };
      await pause(LOOK_MS);
    }
  };
  const from = await look(FROM);
  const to = await look(TO);
  const done = await stack.drained(body.id);
  if (done.outcomes.granted !== count) throw new Error(`of ${count} grants: ${JSON.stringify(done.outcomes)}`);
  const ms = Math.max(1, to.at - from.at);
  return {
    rate: Math.round(((to.settled - from.settled) * 1000) / ms),
    busy: Math.round(((to.cpu - from.cpu) / ms) * 100) / 100,
  };
}

async function cpuOf({ api, redis, sandbox }: Stack, workers: readonly TestProcess[]): Promise<number> {
  const { body } = await sandbox('GET', '/__sandbox/counters');
  const pids = [api.pid, redis.pid ?? 0, ...workers.map(({ pid }) => pid)];
  return pids.reduce((sum, pid) => sum + cpuMs(pid), Number(body.process.cpuMs));
}
