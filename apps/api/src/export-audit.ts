import { pipeline, Readable } from 'node:stream';
import type { AuditFilter, AuditRecord, Directory } from '@pinegate/ledger';
import { stringify } from 'csv-stringify';
import { isoTime } from './access-view.ts';

/** An entry as the API shows it. */
export function viewEntry({ at, ...entry }: AuditRecord) {
  return { ...entry, at: isoTime(at) };
}

const PAGE = 1_000;
const COLUMNS = [
  'id',
  'at',
  'actor',
  'actorName',
  'address',
  'action',
  'target',
  'reason',
  'before',
  'after',
  'result',
  'code',
] as const;

/** All entries that match, newest first, one JSON object a line. */
export function exportNdjson(audit: Directory['audit'], filter: AuditFilter): Readable {
  return Readable.from(ndjsonLines(audit, filter));
}

/** All entries that match, newest first, with a header. No cell is a formula to a spreadsheet, whatever was written in it. */
export function exportCsv(audit: Directory['audit'], filter: AuditFilter): Readable {
  const csv = stringify({ header: true, columns: [...COLUMNS], escape_formulas: true, record_delimiter: 'windows' });
  // Either end that breaks off ends the other; who sends the result sees the error there.
  return pipeline(Readable.from(csvRows(audit, filter)), csv, () => {});
}

async function* ndjsonLines(audit: Directory['audit'], filter: AuditFilter): AsyncGenerator<string> {
  for await (const record of allEntries(audit, filter)) yield `${JSON.stringify(viewEntry(record))}\n`;
}

async function* csvRows(audit: Directory['audit'], filter: AuditFilter): AsyncGenerator<Record<string, string>> {
  for await (const record of allEntries(audit, filter)) {
    const entries = Object.entries(viewEntry(record));
    yield Object.fromEntries(entries.map(([name, value]) => [name, cellOf(value)]));
  }
}

async function* allEntries(audit: Directory['audit'], filter: AuditFilter): AsyncGenerator<AuditRecord> {
  let cursor: string | null = null;
  do {
    const page = await audit.list(filter, cursor, PAGE);
    yield* page.items;
    cursor = page.next;
  } while (cursor !== null);
}

function cellOf(value: unknown): string {
  if (value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
