import type { Row } from '../harness/bench.ts';
import { residentBytes } from '../harness/process-memory.ts';
import type { LoadStack } from './open-load-stack.ts';

const MIB = 2 ** 20;

/** Resident memory of each process, and what Redis says of its own, MiB; and how many keys it has. */
export async function readMemory({ stack, dashboard, redis }: LoadStack): Promise<Row> {
  const [info, keys] = await Promise.all([redis.info('memory'), redis.dbsize()]);
  const { body } = await stack.sandbox('GET', '/__sandbox/counters');
  const workers = stack.workers.map(({ pid }, n) => [`worker ${n + 1} MiB`, residentMib(pid)]);
  return {
    'api MiB': residentMib(stack.api.pid),
    ...Object.fromEntries(workers),
    'dashboard MiB': residentMib(dashboard.process.pid),
    'sandbox MiB': round(Number(body.process.rssBytes) / MIB),
    'redis MiB': round(Number(/used_memory:(\d+)/.exec(info)?.[1]) / MIB),
    'redis keys': keys,
  };
}

function residentMib(pid: number): number | null {
  const bytes = residentBytes(pid);
  return Number.isNaN(bytes) ? null : round(bytes / MIB);
}

function round(mib: number): number {
  return Math.round(mib * 10) / 10;
}
