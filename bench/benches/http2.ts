import type { Stack } from '../../tests/stack/start-stack.ts';
import type { Bench, BenchInput } from '../harness/bench.ts';
import { cpuMs } from '../harness/cpu-time.ts';
import { median, quantile } from '../harness/median.ts';
import { startBenchStack } from '../harness/start-bench-stack.ts';
import { type RunningRival, rivalSetup, startRival } from '../harness/start-rival.ts';

/**
 * Pinegate's client over HTTP/2 and over HTTP/1.1, both with TLS: requests a second, their latency and the connections that they need. The
 * sandbox answers at once, so the latency is that of a queue on the machine; `--latency` puts TradingView's own before it.
 */
const SCRIPT = `PUB;${'0'.repeat(32)}`;
const PROTOCOLS = ['http2', 'http1'];

interface Case {
  readonly protocol: string;
  readonly inFlight: number;
  readonly client: RunningRival;
  readonly rates: number[];
  readonly latencies: number[];
  connections: number;
}

export const bench: Bench = {
  summary: 'requests a second, latency and connections over HTTP/2 and over HTTP/1.1',
  options: {
    rounds: { type: 'string' },
    requests: { type: 'string' },
    'in-flight': { type: 'string' },
    latency: { type: 'string' },
  },
  smoke: { rounds: '1', requests: '300' },
  maxMs: () => 15 * 60_000,
  async run(input) {
    const { flags, seed, report } = input;
    const stack = await startBenchStack({ workers: 0, seed, accounts: [] });
    const cases: Case[] = [];
    try {
      await stack.sandbox('PUT', '/__sandbox/accounts/bench', {
        sessionid: 'session-bench',
        sessionidSign: 'sign-bench',
        scripts: [SCRIPT],
      });
      await stack.sandbox('POST', '/__sandbox/configure', { latency: { fixed: Number(flags.latency ?? 0) } });
      for (const inFlight of String(flags['in-flight'] ?? '24,200').split(',')) {
        for (const protocol of PROTOCOLS) cases.push(await openCase(stack, protocol, Number(inFlight)));
      }
      await compare(input, cases);
      for (const { protocol, inFlight, rates, latencies, connections } of cases) {
        const at = (share: number) => Math.round(quantile(latencies, share) * 10) / 10;
        const spread = { lowest: Math.min(...rates), highest: Math.max(...rates) };
        const middle = { protocol, 'in flight': inFlight, 'median requests/s': median(rates), ...spread };
        report({ ...middle, 'p50, ms': at(0.5), 'p99, ms': at(0.99), connections });
      }
    } finally {
      for (const { client } of cases) await client.stop();
      await stack.stop();
    }
  },
};

async function openCase(stack: Stack, protocol: string, inFlight: number): Promise<Case> {
  const client = await startRival({ ...rivalSetup(stack, 'bench', SCRIPT), rival: protocol, inFlight });
  return { protocol, inFlight, client, rates: [], latencies: [], connections: 0 };
}

async function compare({ flags, tell, report, signal }: BenchInput, cases: readonly Case[]): Promise<void> {
  const rounds = Number(flags.rounds ?? 5);
  const count = Number(flags.requests ?? 20_000);
  const name = ({ protocol, inFlight }: Case) => `${protocol}_${inFlight}`;
  for (const each of cases) await each.client.run({ names: `${name(each)}_warm`, count });
  for (let round = 1; round <= rounds; round++) {
    for (const each of cases) {
      signal.throwIfAborted();
      const { protocol, inFlight, client } = each;
      const cpu = () => cpuMs(client.pids[0] ?? 0);
      const before = cpu();
      const { ms, latencies = [], connections = 0 } = await client.run({ names: `${name(each)}_${round}`, count });
      const rate = Math.round((count * 1000) / ms);
      const own = Math.round(((cpu() - before) * 1000) / count);
      each.rates.push(rate);
      for (const latency of latencies) each.latencies.push(latency);
      each.connections = Math.max(each.connections, connections);
      report({ round, protocol, 'in flight': inFlight, 'requests/s': rate, 'client µs/request': own });
      tell(`round ${round} of ${rounds}, ${protocol}, ${inFlight} in flight: ${rate} requests/s`);
    }
  }
}
