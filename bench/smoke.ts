import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { formatTables } from './harness/format-tables.ts';

/**
 * Runs every bench with its smallest sizes, so that none rots: it shows that they work, and its figures mean nothing. Three run at once: most of
 * them mostly wait. Fails if one of them does. Run: pnpm performance [NAME…]
 */
const AT_ONCE = 3;
const GIVE_UP_MS = 180_000;
const KEPT_LINES = 40;

const files = await readdir(join(import.meta.dirname, 'benches'));
const names = process.argv.slice(2).filter((arg) => arg !== '--');
const all = files.filter((file) => file.endsWith('.ts')).map((file) => file.slice(0, -3));
const left = names.length > 0 ? names : all;
const running = new Set<ReturnType<typeof spawn>>();
const rows: { bench: string; result: string; seconds: number }[] = [];

// Whoever ends this ends the benches, and they their processes.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const child of running) child.kill('SIGTERM');
    process.exit(1);
  });
}

await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) rows.push(await runSmoke(name));
  }),
);
process.stdout.write(`\n${formatTables(rows)}\n`);
process.exitCode = rows.every(({ result }) => result === 'ok') ? 0 : 1;

async function runSmoke(bench: string) {
  const startedAt = performance.now();
  const args = [join(import.meta.dirname, 'run.ts'), bench, '--smoke'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const giveUp = setTimeout(() => child.kill('SIGTERM'), GIVE_UP_MS);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(giveUp);
  running.delete(child);
  const result = code === 0 ? 'ok' : 'FAILED';
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  process.stdout.write(`${bench}: ${result}, ${seconds} s\n`);
  if (code !== 0) process.stdout.write(`${output.trimEnd().split('\n').slice(-KEPT_LINES).join('\n')}\n`);
  return { bench, result, seconds };
}
