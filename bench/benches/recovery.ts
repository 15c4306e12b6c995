import { closeRedis, openRedis, type Redis } from '@pinegate/runtime';
import { type TestProcess, waitFor } from '@pinegate/testing';
import type { Stack } from '../../tests/stack/start-stack.ts';
import type { Bench, BenchInput, Row } from '../harness/bench.ts';
import { median, quantile } from '../harness/median.ts';
import { startBenchStack } from '../harness/start-bench-stack.ts';

/**
 * How long after kill -9 of a worker all that it had in hand is settled by another, with the default lock, lease and sweep: from the
 * kill until nothing of the batch is pending. Two workers share each batch; one of them, in turn, is killed while requests are in flight.
 */
const SCRIPT = `PUB;${'0'.repeat(32)}`;
const ROWS = 400;
/** So slow that every kill meets requests in flight. */
const LATENCY_MS = 2_000;
const WORST_MS = 120_000;

export const bench: Bench = {
  summary: 'time from kill -9 of a worker until its work is settled',
  options: { kills: { type: 'string' }, stacks: { type: 'string' } },
  smoke: { kills: '1', stacks: '1' },
  maxMs: () => 45 * 60_000,
  async run(input) {
    const kills = Number(input.flags.kills ?? 20);
    const stacks = Number(input.flags.stacks ?? 2);
    const shares = Array.from({ length: stacks }, (_, i) => Math.ceil((kills - i) / stacks));
    const seconds = (await Promise.all(shares.map((share, i) => runStack(input, i, share)))).flat();
    input.report({ kills: seconds.length, 'median, s': median(seconds), 'worst, s': quantile(seconds, 1) });
  },
};

type KillRow = Row & { readonly seconds: number };

/** The seconds of each kill. */
async function runStack(input: BenchInput, index: number, kills: number): Promise<number[]> {
  const stack = await startBenchStack({
    workers: 2,
    seed: `${input.seed} ${index}`,
    accounts: [{ id: 'alpha', scripts: [SCRIPT] }],
  });
  const redis = openRedis(stack.redis.url, 'producer');
  const seconds: number[] = [];
  let alive: TestProcess[] = [...stack.workers];
  try {
    for (let kill = 0; kill < kills; kill++) {
      const [victim, other] = alive;
      if (!victim || !other) throw new Error('a worker is missing');
      const row = await killOne(stack, redis, victim, `stack${index}_kill${kill}`);
      input.report(row);
      seconds.push(row.seconds);
      input.tell(`stack ${index}, kill ${kill + 1} of ${kills}: ${row.seconds} s`);
      input.signal.throwIfAborted();
      alive = [other, await stack.startWorker()];
    }
    return seconds;
  } finally {
    await closeRedis(redis);
    await stack.stop();
  }
}

async function killOne(stack: Stack, redis: Redis, victim: TestProcess, name: string): Promise<KillRow> {
  await stack.sandbox('POST', '/__sandbox/configure', { latency: { fixed: LATENCY_MS } });
  const users = Array.from({ length: ROWS }, (_, i) => `${name}_${i}`);
  const raw = `username,duration\n${users.map((user) => `${user},1L\n`).join('')}`;
  const path = `/v1/batches?action=grant&script=${encodeURIComponent(SCRIPT)}`;
  const { body } = await stack.call('POST', path, { headers: { 'content-type': 'text/csv' }, raw });
  const inFlight = async () => (await stack.sandbox('GET', '/__sandbox/counters')).body.inFlight;
  await waitFor(async () => (await inFlight()) >= ROWS / 4, { what: 'requests in flight', everyMs: 20 });
  const [jobs, claims] = await Promise.all([
    redis.llen('{pinegate:alpha}:grant-bulk:active'),
    redis.hlen('{pinegate:alpha}:claims'),
  ]);
  await victim.kill();
  const killedAt = performance.now();
  await stack.sandbox('POST', '/__sandbox/configure', { latency: { fixed: 0 } });
  const isDone = async () => (await stack.call('GET', `/v1/batches/${body.id}`)).body.pending === 0;
  await waitFor(isDone, { what: 'the batch to drain', withinMs: WORST_MS });
  const seconds = Math.round((performance.now() - killedAt) / 100) / 10;
  return { kill: name, 'jobs in hand': jobs, 'keys claimed': claims, seconds };
}
