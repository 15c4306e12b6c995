import type { Stack } from '../../tests/stack/start-stack.ts';
import type { Bench } from '../harness/bench.ts';
import { startBenchStack } from '../harness/start-bench-stack.ts';

/**
 * Requests to TradingView per operation, counted by the sandbox: a roster of strangers, the same again, one in twenty of its dates changed, and
 * a roster in which one name in ten is nobody's.
 */
const SCRIPT = `PUB;${'0'.repeat(32)}`;
const [DATE, LATER] = ['2031-05-01T00:00:00.000Z', '2032-05-01T00:00:00.000Z'];

export const bench: Bench = {
  summary: 'requests per operation for rosters of several kinds',
  options: { rows: { type: 'string' } },
  smoke: { rows: '200' },
  maxMs: () => 10 * 60_000,
  async run({ flags, seed, tell, report }) {
    const count = Number(flags.rows ?? 5_000);
    const names = Array.from({ length: count }, (_, i) => `member_${i}`);
    const roster = (later: (i: number) => boolean) =>
      names.map((name, i): [string, string] => [name, later(i) ? LATER : DATE]);
    const unknown = names.map((_, i): [string, string] => [i % 10 === 0 ? `ghost_${i}` : `other_${i}`, DATE]);
    const stack = await startBenchStack({ workers: 2, seed, accounts: [{ id: 'bench', scripts: [SCRIPT] }] });
    try {
      const cases: [string, number | null, readonly [string, string][]][] = [
        ['fresh', 1.02, roster(() => false)],
        ['the same again', 0.05, roster(() => false)],
        ['5 % changed', null, roster((i) => i % 20 === 0)],
        ['10 % unknown names', null, unknown],
        ['10 % unknown names again', null, unknown],
      ];
      for (const [name, most, rows] of cases) {
        tell(`${name}: ${rows.length} rows`);
        report({ roster: name, operations: rows.length, ...(await callsOf(stack, rows)), 'most to reach': most });
      }
    } finally {
      await stack.stop();
    }
  },
};

async function callsOf(stack: Stack, rows: readonly (readonly [string, string])[]) {
  const before = await counted(stack);
  const raw = `action,script,username,expires_at\n${rows.map(([user, date]) => `grant,${SCRIPT},${user},${date}\n`).join('')}`;
  const { body } = await stack.call('POST', '/v1/batches', { headers: { 'content-type': 'text/csv' }, raw });
  await stack.drained(body.id);
  const after = await counted(stack);
  const calls = (endpoint: string) => ((after[endpoint] ?? 0) - (before[endpoint] ?? 0)) / rows.length;
  const each = Object.fromEntries(ENDPOINTS.map((endpoint) => [endpoint, calls(endpoint)]));
  return { 'calls/op': ENDPOINTS.reduce((sum, endpoint) => sum + calls(endpoint), 0), ...each };
}

const ENDPOINTS = ['add', 'modify', 'remove', 'list_users', 'username_hint'];

/** Requests so far by endpoint, whatever came of them. */
async function counted({ sandbox }: Stack): Promise<Readonly<Record<string, number>>> {
  const { body } = await sandbox('GET', '/__sandbox/counters');
  const endpoints = Object.entries(body.endpoints as Record<string, Record<string, number>>);
  return Object.fromEntries(endpoints.map(([name, by]) => [name, Object.values(by).reduce((a, b) => a + b, 0)]));
}
