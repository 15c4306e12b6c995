import { LONGEST_ROW } from './byte-window.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** A record with quoted cells, as far as the bytes show it. */
export type QuotedRecord =
  | { readonly kind: 'record'; readonly cells: readonly string[]; readonly end: number }
  /** More bytes must come before it can be told. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly detail: string };

/**
 * Reads one record of RFC 4180 that has a quote in it: line ends are LF or CRLF, a quoted cell may hold both. A quote inside a cell
 * that does not begin with one is text.
 * @param from where the record begins in `bytes`.
 * @param ended no bytes will follow these.
 */
export function readQuotedRecord(bytes: Buffer, from: number, ended: boolean): QuotedRecord {
  const cells: string[] = [];
  const limit = from + LONGEST_ROW;
  let at = from;
  for (;;) {
    const cell = bytes[at] === QUOTE ? readQuotedCell(bytes, at) : readPlainCell(bytes, at);
    const after = cell.after;
    if (after > limit) return malformed(`A record has at most ${LONGEST_ROW} bytes.`);
    if (cell.text === null) return ended ? malformed('A quote is not closed.') : { kind: 'incomplete' };

    const next = bytes[after];
    if (next === undefined) {
      if (!ended) return { kind: 'incomplete' };
      cells.push(cell.text);
      return { kind: 'record', cells, end: after };
    }
    if (next === RETURN && bytes[after + 1] === undefined && !ended) return { kind: 'incomplete' };
    cells.push(cell.text);
    if (next === COMMA) {
      at = after + 1;
    } else if (next === NEWLINE) {
      return { kind: 'record', cells, end: after + 1 };
    } else if (next === RETURN && (bytes[after + 1] ?? NEWLINE) === NEWLINE) {
      return { kind: 'record', cells, end: Math.min(after + 2, bytes.length) };
    } else {
      return malformed('A closing quote must be followed by a comma or the end of the line.');
    }
  }
}

function malformed(detail: string): QuotedRecord {
  return { kind: 'malformed', detail };
}

// `after`: the byte behind the cell; `text` null: the closing quote is not there.
function readQuotedCell(bytes: Buffer, from: number): { readonly text: string | null; readonly after: number } {
  let at = from + 1;
  let doubled = false;
  for (;;) {
    const quote = bytes.indexOf(QUOTE, at);
    if (quote === -1) return { text: null, after: bytes.length };
    if (bytes[quote + 1] !== QUOTE) {
      const text = bytes.toString('utf8', from + 1, quote);
      return { text: doubled ? text.replaceAll('""', '"') : text, after: quote + 1 };
    }
    doubled = true;
    at = quote + 2;
  }
}

function readPlainCell(bytes: Buffer, from: number): { readonly text: string; readonly after: number } {
  let at = from;
  while (at < bytes.length && bytes[at] !== COMMA && bytes[at] !== NEWLINE) at++;
  const after = bytes[at] === NEWLINE && at > from && bytes[at - 1] === RETURN ? at - 1 : at;
  return { text: bytes.toString('utf8', from, after), after };
}
