import { type RowNames, readOperation, unknownField } from './operation.ts';
import type { ParsedRow } from './parsed-row.ts';

const CSV_NAMES: RowNames = {
  expiresAt: 'expires_at',
  duration: 'duration',
  extendBy: 'extend_by',
  lifetime: '"lifetime"',
};

const COLUMNS = new Set(['action', 'script', 'username', 'expires_at', 'duration', 'extend_by']);

/**
 * Reads one operation in its CSV form, by column name: `action`, `script`, `username`, `expires_at`, `duration`,
 * `extend_by`. Cells are trimmed, an empty cell is an absent value, `lifetime` in `expires_at` (in any case) is a
 * lifetime. A column of another name is refused where it holds something.
 * @param now ms since 1970 UTC.
 */
export function parseCsvOperation(cells: Readonly<Record<string, string>>, now: number): ParsedRow {
  for (const column in cells) {
    if (!COLUMNS.has(column) && cell(cells[column]) !== undefined) return unknownField(column);
  }
  const expiresAt = cell(cells.expires_at);
  const values = {
    action: cell(cells.action),
    script: cell(cells.script),
    username: cell(cells.username),
    expiresAt: expiresAt?.toLowerCase() === 'lifetime' ? null : expiresAt,
    duration: cell(cells.duration),
    extendBy: cell(cells.extend_by),
  };
  return readOperation(values, CSV_NAMES, now);
}

function cell(text: string | undefined): string | undefined {
  const trimmed = text?.trim();
  return trimmed === '' ? undefined : trimmed;
}
