import { type ParsedRow, parseOperation } from '@pinegate/access';
import { ByteWindow, LONGEST_ROW, TOO_LONG } from './byte-window.ts';
import { isBlank, type RowReader, unreadableRow } from './row-reader.ts';

/**
 * Reads NDJSON: one operation a line, in the form of `parseOperation`. Blank lines are no rows; a line that is no JSON is a rejected one.
 * @param now ms since 1970 UTC, by which an expiry counts as past.
 */
export function buildNdjsonReader(now: number): RowReader {
  const window = new ByteWindow();
  return {
    feed: (bytes) => window.feed(bytes),
    end: () => window.end(),
    digest: () => window.digest(),
    next() {
      if (!window.start()) return null;
      for (;;) {
        const line = window.takeLine();
        if (line === null) return null;
        if (line === TOO_LONG) return unreadableRow(`A line has at most ${LONGEST_ROW} bytes.`);
        if (!isBlank(line)) return parseLine(line, now);
      }
    },
  };
}

function parseLine(line: string, now: number): ParsedRow {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return unreadableRow('The line is not JSON.');
  }
  return parseOperation(value, now);
}
