import type { ParsedRow } from '@pinegate/access';

/** Turns the bytes of an upload into rows. The rows do not depend on the pieces in which the bytes come. */
export interface RowReader {
  feed(bytes: Buffer): void;
  end(): void;
  /** The next row; null when more bytes are needed or, after `end`, when there are no more. Errors: `Problem` for what spoils the whole body. */
  next(): ParsedRow | null;
  /** Hash of all bytes up to the end of the last row. */
  digest(): string;
}

/** A line that is no row. */
export function unreadableRow(detail: string): ParsedRow {
  return { ok: false, code: 'invalid_row', field: null, detail };
}

/** Whether a line holds nothing: such lines are not rows and are not counted. */
export function isBlank(line: string): boolean {
  return line.length === 0 || line.trim().length === 0;
}
