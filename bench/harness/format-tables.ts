import type { Cell, Row } from './bench.ts';

/** Rows as aligned text; a new table begins where the columns change. */
export function formatTables(rows: readonly Row[]): string {
  const tables: Row[][] = [];
  for (const row of rows) {
    const last = tables.at(-1);
    if (last?.[0] && columns(last[0]) === columns(row)) last.push(row);
    else tables.push([row]);
  }
  return tables.map(formatTable).join('\n\n');
}

function columns(row: Row): string {
  return Object.keys(row).join('\n');
}

function formatTable(rows: readonly Row[]): string {
  const names = Object.keys(rows[0] ?? {});
  const lines = [names, ...rows.map((row) => names.map((name) => text(row[name] ?? null)))];
  const widths = names.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const isNumber = names.map((name) => rows.every((row) => typeof row[name] !== 'string'));
  const pad = (cell: string, i: number) => (isNumber[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0));
  return lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n');
}

function text(cell: Cell): string {
  if (cell === null) return '-';
  return typeof cell === 'number' ? String(Math.round(cell * 1000) / 1000) : cell;
}
