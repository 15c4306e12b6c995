import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Api } from './call-api.ts';
import { createProgressLine } from './progress-line.ts';
import { outcomeTable } from './tell.ts';

/** What the API answered to a batch. */
export interface Accepted {
  readonly id: string;
  readonly rows: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly rejections: readonly { readonly row: number; readonly code: string; readonly detail: string }[];
}

/** A batch as the API shows it. */
export interface Batch {
  readonly state: string;
  readonly total: number;
  readonly pending: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly ratePerSecond: number;
}

const LOOK_MS = 200;
const GIVE_UP_MS = 300_000;

/** Posts the file as one batch and shows how it drains. Resolves when nothing is pending, or after five minutes. */
export async function drainRoster(
  api: Api,
  file: string,
  say: (line: string) => void,
): Promise<{ readonly accepted: Accepted; readonly pending: number }> {
  const body = await readFile(file, 'utf8');
  const started = performance.now();
  // A key of its own each time: a second start is a second order, extensions included.
  const headers = { 'content-type': 'text/csv', 'idempotency-key': randomUUID() };
  const accepted = await api.rest<Accepted>('POST', '/v1/batches', { body, headers });
  say(`\n${basename(file)}: ${accepted.rows} rows, ${accepted.accepted} accepted, ${accepted.rejected} rejected`);

  const line = createProgressLine(process.stdout);
  let batch = await api.rest<Batch>('GET', `/v1/batches/${accepted.id}`);
  while (batch.pending > 0 && performance.now() - started < GIVE_UP_MS) {
    const settled = batch.total - batch.pending;
    line.show(settled, batch.total, `${batch.pending} pending, ${Math.round(batch.ratePerSecond)}/s`);
    await delay(LOOK_MS);
    batch = await api.rest<Batch>('GET', `/v1/batches/${accepted.id}`);
  }
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  line.end(batch.total - batch.pending, batch.total, `${batch.pending} pending, ${seconds} s`);
  say(`\n${outcomeTable(batch)}`);
  return { accepted, pending: batch.pending };
}
