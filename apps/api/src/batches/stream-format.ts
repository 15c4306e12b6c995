import type { CsvDefaults } from './csv-columns.ts';
import { buildCsvReader } from './csv-reader.ts';
import { buildNdjsonReader } from './ndjson-reader.ts';
import type { RowReader } from './row-reader.ts';

/** How the rows of a stream are written. */
export interface StreamFormat {
  readonly format: 'csv' | 'ndjson';
  /** Values that stand in for columns that the file does not have. */
  readonly defaults: CsvDefaults;
}

/** The reader of a format. @param now ms since 1970, by which an expiry counts as past. */
export function buildReader({ format, defaults }: StreamFormat, now: number): RowReader {
  return format === 'csv' ? buildCsvReader(defaults, now) : buildNdjsonReader(now);
}
