import { resolve } from 'node:path';
import type { Bench, BenchInput, Row } from '../harness/bench.ts';
import { cpuMs } from '../harness/cpu-time.ts';
import { median, quantile } from '../harness/median.ts';
import { startProbe } from '../harness/probe.ts';
import { residentBytes, watchMemory } from '../harness/process-memory.ts';
import { startBenchStack } from '../harness/start-bench-stack.ts';
import { prepareUpload } from '../harness/upload.ts';

/**
 * Rows a second that the api takes in of one streamed batch, until it has answered: everything is in the ledger by then, and the append-only
 * file of Redis is on. Uploads are read in the process itself (0 threads) or by a thread of its pool. Meanwhile a thread of its own asks for /healthz every 10 ms. Each upload has an empty stack for itself.
 */
const SCRIPT = `PUB;${'0'.repeat(32)}`;
const DATE = '2031-05-01T00:00:00.000Z';
const PROBE_MS = 10;
const MB = 1024 * 1024;

const FORMATS: Readonly<Record<string, { readonly type: string; readonly header: string; readonly line: string }>> = {
  ndjson: {
    type: 'application/x-ndjson',
    header: '',
    line: `${JSON.stringify({ action: 'grant', script: SCRIPT, username: 'member_%', expiresAt: DATE })}\n`,
  },
  csv: {
    type: 'text/csv',
    header: 'action,script,username,expires_at\n',
    line: `grant,${SCRIPT},member_%,${DATE}\n`,
  },
};

export const bench: Bench = {
  summary: 'rows a second that an upload brings, memory and health of the api meanwhile',
  options: {
    rows: { type: 'string' },
    rounds: { type: 'string' },
    formats: { type: 'string' },
    threads: { type: 'string' },
    profile: { type: 'string' },
  },
  smoke: { rows: '20000', rounds: '1' },
  maxMs: () => 30 * 60_000,
  async run({ flags, tell, report, seed, signal }) {
    const rows = Number(flags.rows ?? 1_000_000);
    const rounds = Number(flags.rounds ?? 5);
    const formats = String(flags.formats ?? 'ndjson,csv').split(',');
    const threads = String(flags.threads ?? '0,1').split(',');
    const sides = formats.flatMap((format) => threads.map((count) => ({ format, count, all: [] as Measured[] })));
    for (let round = 1; round <= rounds; round++) {
      for (const { format, count, all } of sides) {
        signal.throwIfAborted();
        const measured = await uploadOnce({ format, threads: count, rows, seed, profile: flags.profile });
        all.push(measured);
        tell(`round ${round}, ${format}, ${count} threads: ${JSON.stringify(measured)}`);
      }
    }
    for (const { format, count, all } of sides) report({ format, threads: Number(count), rounds, ...mediansOf(all) });
  },
};

type Measured = Readonly<Record<string, number>>;

function mediansOf(all: readonly Measured[]): Row {
  const names = Object.keys(all[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, median(all.map((one) => one[name] ?? Number.NaN))]));
}

interface Upload {
  readonly format: string;
  readonly threads: string;
  readonly rows: number;
  readonly seed: string;
  readonly profile: BenchInput['flags'][string];
}

async function uploadOnce({ format, threads, rows, seed, profile }: Upload): Promise<Measured> {
  const options = `--cpu-prof --cpu-prof-dir=${resolve(String(profile))}`;
  const env = { UPLOAD_THREADS: threads, ...(profile ? { NODE_OPTIONS: options } : {}) };
  const stack = await startBenchStack({ workers: 0, seed, env, accounts: [] });
  try {
    // Without cookies it is parked: what it accepts waits, so that nothing but the upload is measured.
    await stack.call('PUT', '/v1/accounts/bench', { body: { scripts: [SCRIPT] } });
    const shape = FORMATS[format];
    if (!shape) throw new Error(`the formats are ${Object.keys(FORMATS).join(', ')}`);
    const order = { url: `${stack.apiUrl}/v1/batches`, key: stack.adminKey, rows, ...shape };
    const upload = await prepareUpload(order);
    const [api, redis] = [stack.api.pid, stack.redis.pid ?? 0];
    const idle = residentBytes(api);
    const before = { api: cpuMs(api), redis: cpuMs(redis) };
    const probe = startProbe(`${stack.apiUrl}/healthz`, PROBE_MS);
    const memory = watchMemory(api);
    const { status, text, seconds, cpuMs: client } = await upload.send();
    const most = memory.stop();
    const waits = await probe.stop();
    const accepted = status === 202 ? JSON.parse(text).accepted : 0;
    if (accepted !== rows) throw new Error(`not all rows were accepted: ${status} ${text}`);
    const each = (ms: number) => (ms * 1000) / rows;
    return {
      'rows/s': Math.round(rows / seconds),
      'MB over idle': Math.round((most - idle) / MB),
      'health p50, ms': quantile(waits, 0.5),
      'health p99, ms': quantile(waits, 0.99),
      'health worst, ms': quantile(waits, 1),
      'api µs/row': each(cpuMs(api) - before.api),
      'redis µs/row': each(cpuMs(redis) - before.redis),
      'client µs/row': each(client),
    };
  } finally {
    await stack.stop();
  }
}
