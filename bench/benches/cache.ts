import type { Stack } from '../../tests/stack/start-stack.ts';
import type { Bench } from '../harness/bench.ts';
import { startBenchStack } from '../harness/start-bench-stack.ts';

/**
 * Look-ups of users at TradingView that `?validate=true` costs, counted by the sandbox: a first roster, then the roster of the month after, in
 * which one name in a hundred is new, with other dates, for the same script and for a second one. The second script is what shows the
 * cache: of the first one the ledger knows the spellings as well.
 */
const [FIRST, SECOND] = [`PUB;${'0'.repeat(32)}`, `PUB;${'1'.repeat(32)}`];
const [DATE, LATER] = ['2031-05-01T00:00:00.000Z', '2031-06-01T00:00:00.000Z'];
/** One name in so many is new in a later roster, and one in so many is nobody's in each. */
const NEW = 100;
const GHOSTS = 50;

export const bench: Bench = {
  summary: 'look-ups that the validation cache saves when a roster comes again',
  options: { rows: { type: 'string' } },
  smoke: { rows: '300' },
  maxMs: () => 10 * 60_000,
  async run({ flags, seed, tell, report }) {
    const count = Number(flags.rows ?? 10_000);
    const roster = (from: number) =>
      Array.from({ length: count }, (_, i) => `${(from + i) % GHOSTS === 0 ? 'ghost' : 'member'}_${from + i}`);
    const later = Math.floor(count / NEW);
    const stack = await startBenchStack({ workers: 2, seed, accounts: [{ id: 'bench', scripts: [FIRST, SECOND] }] });
    try {
      const cases: [string, string, string, readonly string[], number][] = [
        ['the first', FIRST, DATE, roster(0), count],
        ['the next, another script', SECOND, DATE, roster(later), later],
        ['the next, the same script', FIRST, LATER, roster(later), later],
      ];
      for (const [name, script, date, names, strangers] of cases) {
        tell(`${name}: ${names.length} rows`);
        const lookUps = await lookUpsOf(stack, script, date, names);
        report({
          roster: name,
          rows: names.length,
          'names not seen before': strangers,
          'look-ups': lookUps,
          '% saved': 100 * (1 - lookUps / names.length),
        });
      }
    } finally {
      await stack.stop();
    }
  },
};

async function lookUpsOf(stack: Stack, script: string, date: string, names: readonly string[]): Promise<number> {
  const before = await counted(stack);
  const raw = `action,script,username,expires_at\n${names.map((user) => `grant,${script},${user},${date}\n`).join('')}`;
  const headers = { 'content-type': 'text/csv' };
  const { body } = await stack.call('POST', '/v1/batches?validate=true', { headers, raw });
  await stack.drained(body.id);
  return (await counted(stack)) - before;
}

async function counted({ sandbox }: Stack): Promise<number> {
  const { body } = await sandbox('GET', '/__sandbox/counters');
  const by = Object.values((body.endpoints.username_hint ?? {}) as Record<string, number>);
  return by.reduce((sum, n) => sum + n, 0);
}
