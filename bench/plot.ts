import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Row } from './harness/bench.ts';
import { CHARTS } from './harness/charts.ts';
import { drawBars } from './harness/draw-bars.ts';

/** Draws docs/images/NAME.svg from what the benches have left in bench/results, for each bench that has. Run: node bench/plot.ts */
for (const { file, bench, draw } of CHARTS) {
  const text = await readFile(join(import.meta.dirname, 'results', `${bench}.json`), 'utf8').catch(() => null);
  if (text === null) {
    process.stdout.write(`${file}: run pnpm bench ${bench} first\n`);
    continue;
  }
  const { rows } = JSON.parse(text) as { readonly rows: readonly Row[] };
  await writeFile(join(import.meta.dirname, '../docs/images', `${file}.svg`), drawBars(draw(rows)));
  process.stdout.write(`docs/images/${file}.svg\n`);
}
