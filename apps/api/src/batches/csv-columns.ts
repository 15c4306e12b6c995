import { Problem } from '../problem.ts';

/** The columns that a CSV upload may have. */
export const CSV_COLUMNS = ['action', 'script', 'username', 'expires_at', 'duration', 'extend_by'] as const;

/** Name of a CSV column. */
export type CsvColumn = (typeof CSV_COLUMNS)[number];

/** Values that stand in for a column that the file does not have. */
export interface CsvDefaults {
  readonly action?: string | undefined;
  readonly script?: string | undefined;
}

/**
 * Reads the first record of a CSV upload, which names its columns, in any order and case.
 * Errors: `Problem` `unknown_column`, `duplicate_column`, `missing_column`.
 */
export function parseCsvColumns(cells: readonly string[], defaults: CsvDefaults): readonly CsvColumn[] {
  const columns = cells.map((cell) => {
    const name = cell.trim().toLowerCase();
    const column = CSV_COLUMNS.find((known) => known === name);
    if (column === undefined) {
      const detail = `The first line must name the columns, out of ${CSV_COLUMNS.join(', ')}; it has ${JSON.stringify(cell.slice(0, 60))}.`;
      throw new Problem('unknown_column', detail);
    }
    return column;
  });
  const doubled = columns.find((column, at) => columns.indexOf(column) !== at);
  if (doubled !== undefined) throw new Problem('duplicate_column', `The column ${doubled} is there twice.`);
  for (const needed of ['action', 'script', 'username'] as const) {
    const standsIn = needed === 'username' ? undefined : defaults[needed];
    if (!columns.includes(needed) && standsIn === undefined) {
      const hint = needed === 'username' ? '' : ` Add it, or ?${needed}= to the address.`;
      throw new Problem('missing_column', `There is no column ${needed}.${hint}`);
    }
  }
  return columns;
}
