import { type ParsedRow, parseCsvOperation } from '@pinegate/access';
import { Problem } from '../problem.ts';
import { ByteWindow, LONGEST_ROW, TOO_LONG } from './byte-window.ts';
import { type CsvColumn, type CsvDefaults, parseCsvColumns } from './csv-columns.ts';
import { readQuotedRecord } from './csv-record.ts';
import { isBlank, type RowReader, unreadableRow } from './row-reader.ts';

const QUOTE = 0x22;
const NEWLINE = 0x0a;

/**
 * Reads CSV (RFC 4180, LF or CRLF): the first record names the columns and is no row, blank lines are none either. A record that
 * cannot be read costs its first line only: that line is a rejected row, and reading goes on with the next one.
 * @param now ms since 1970 UTC, by which an expiry counts as past.
 */
export function buildCsvReader(defaults: CsvDefaults, now: number): RowReader {
  const window = new ByteWindow();
  const takeRecord = buildRecordTaker(window);
  let columns: readonly CsvColumn[] | null = null;
  // One object for all rows: parsing keeps nothing of it.
  const row = { action: '', script: '', username: '', expires_at: '', duration: '', extend_by: '' };
  row.action = defaults.action ?? '';
  row.script = defaults.script ?? '';

  function parse(cells: readonly string[], named: readonly CsvColumn[]): ParsedRow {
    if (cells.length > named.length) {
      return unreadableRow(`The row has ${cells.length} cells, and there are ${named.length} columns.`);
    }
    for (let i = 0; i < named.length; i++) row[named[i] as CsvColumn] = cells[i] ?? '';
    return parseCsvOperation(row, now);
  }

  return {
    feed: (bytes) => window.feed(bytes),
    end: () => window.end(),
    digest: () => window.digest(),
    next() {
      if (!window.start()) return null;
      for (;;) {
        const cells = takeRecord();
        if (cells === null) return null;
        if (typeof cells === 'string') {
          if (columns === null) throw new Problem('unknown_column', `The first line must name the columns. ${cells}`);
          return unreadableRow(cells);
        }
        if (columns === null) columns = parseCsvColumns(cells, defaults);
        else return parse(cells, columns);
      }
    },
  };
}

const TOO_LONG_DETAIL = `A record has at most ${LONGEST_ROW} bytes.`;

// Gives the cells of the next record that is not blank, the sentence that says why it is none, or null when more bytes are needed.
function buildRecordTaker(window: ByteWindow): () => readonly string[] | string | null {
  let searched: Buffer | null = null;
  let quoteAt = -1;

  // Remembered, because a search through the whole window for each of its lines would be quadratic.
  function hasQuoteInLine(): boolean {
    if (searched !== window.bytes || (quoteAt !== -1 && quoteAt < window.position)) {
      searched = window.bytes;
      quoteAt = window.bytes.indexOf(QUOTE, window.position);
    }
    if (quoteAt === -1 || window.skipping) return false;
    const newline = window.bytes.indexOf(NEWLINE, window.position);
    return newline === -1 || quoteAt < newline;
  }

  function takeQuoted(): readonly string[] | string | null {
    const record = readQuotedRecord(window.bytes, window.position, window.ended);
    if (record.kind === 'incomplete') return null;
    if (record.kind === 'record') {
      window.position = record.end;
      return record.cells;
    }
    const line = window.takeLine();
    if (line === TOO_LONG) return TOO_LONG_DETAIL;
    return line === null ? null : record.detail;
  }

  return () => {
    for (;;) {
      if (hasQuoteInLine()) return takeQuoted();
      const line = window.takeLine();
      if (line === null) return null;
      if (line === TOO_LONG) return TOO_LONG_DETAIL;
      if (!isBlank(line)) return line.split(',');
    }
  };
}
