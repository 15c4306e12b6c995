import { randomBytes } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Bench, BenchInput, Row } from './harness/bench.ts';
import { describeMachine } from './harness/describe-machine.ts';
import { formatTables } from './harness/format-tables.ts';

/**
 * Runs one benchmark against real processes on loopback, prints its tables and writes them, with the machine, the versions and
 * the seed, to bench/results/NAME.json. Run: pnpm bench NAME [--seed TEXT] [flags of the bench]
 * `--smoke` runs any of them with its smallest sizes, which says that it works and nothing else; its file is NAME.smoke.json.
 */
const BENCHES = new URL('./benches/', import.meta.url);
const RESULTS = join(import.meta.dirname, 'results');

// Whoever ends the bench ends its processes: they are killed when this one exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const names = (await readdir(BENCHES)).filter((file) => file.endsWith('.ts')).map((file) => file.slice(0, -3));
const [name = '', ...args] = process.argv.slice(2).filter((arg) => arg !== '--');
if (names.includes(name)) await runBench(name, args);
else await listBenches();

async function load(bench: string): Promise<Bench> {
  const module = (await import(new URL(`${bench}.ts`, BENCHES).href)) as { readonly bench: Bench };
  return module.bench;
}

async function listBenches(): Promise<void> {
  process.stdout.write('pnpm bench NAME [--smoke] [--seed TEXT] [flags]\n');
  for (const each of names) {
    const { summary, options } = await load(each);
    const flags = Object.keys(options).map((flag) => `--${flag}`);
    process.stdout.write(`  ${each.padEnd(14)} ${summary} ${flags.join(' ')}\n`);
  }
  process.exitCode = name === '' ? 0 : 1;
}

async function runBench(bench: string, given: readonly string[]): Promise<void> {
  const { options, smoke: smallest, maxMs, run } = await load(bench);
  const declared = { ...options, seed: { type: 'string' }, smoke: { type: 'boolean' } } as const;
  const { values } = parseArgs({ args: [...given], options: declared, allowNegative: true });
  const { seed = randomBytes(4).toString('hex'), smoke, ...asked } = values as BenchInput['flags'];
  const flags = smoke ? { ...smallest, ...asked } : asked;
  const machine = describeMachine();
  const at = new Date();
  const startedAt = performance.now();
  const rows: Row[] = [];
  try {
    await run({
      seed: String(seed),
      flags,
      tell: (line) => process.stderr.write(`${line}\n`),
      report: (row) => void rows.push(row),
      signal: AbortSignal.timeout(maxMs(flags)),
    });
  } finally {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    const result = { bench, at: at.toISOString(), seconds, seed, flags, machine, rows };
    await mkdir(RESULTS, { recursive: true });
    const file = join(RESULTS, `${bench}${smoke ? '.smoke' : ''}.json`);
    await writeFile(file, `${JSON.stringify(result, null, 2)}\n`);
    const facts = Object.entries(machine).map(([key, value]) => `${key} ${value}`);
    process.stdout.write(`\n${formatTables(rows)}\n\nseed ${seed}, ${seconds} s, ${facts.join(', ')}\n${file}\n`);
  }
}
