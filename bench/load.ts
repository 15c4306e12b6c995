import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from './harness/describe-machine.ts';
import { formatTables } from './harness/format-tables.ts';
import { LOAD_OPTIONS, parseLoad } from './load/parse-load.ts';
import { runLoad } from './load/run-load.ts';
import { splitRow } from './load/split-row.ts';

/**
 * A steady mixed load on real processes for as long as asked: single operations, batches, reads and dashboards. Reports each minute rates, waits,
 * errors and the memory of every process; fails if a request was refused or something is left pending. Run: pnpm load [--minutes N] [flags]
 */
const RESULTS = join(import.meta.dirname, 'results');

// Whoever ends the load ends its processes: they are killed when this one exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const args = process.argv.slice(2).filter((arg) => arg !== '--');
const { values } = parseArgs({ args, options: { ...LOAD_OPTIONS, seed: { type: 'string' } } });
const settings = parseLoad(values);
const seed = values.seed ?? randomBytes(4).toString('hex');
const machine = describeMachine();
const at = new Date().toISOString();
const { rows, problems } = await runLoad(settings, seed, (line) => process.stderr.write(`${line}\n`));

const split = rows.map(splitRow);
const requests = split.flatMap((parts) => parts.slice(0, -1));
const processes = split.flatMap((parts) => parts.slice(-1));
await mkdir(RESULTS, { recursive: true });
const file = join(RESULTS, 'load.json');
await writeFile(file, `${JSON.stringify({ at, seed, settings, machine, rows, problems }, null, 2)}\n`);
process.stdout.write(`\n${formatTables(requests)}\n\n${formatTables(processes)}\n\nseed ${seed}\n${file}\n`);
for (const problem of problems) process.stdout.write(`WRONG: ${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
