import type { Operation, ParsedRow, Until } from '@pinegate/access';

/** Rows as they go from one thread to another: a text is copied faster than objects are cloned. */
export interface PackedRows {
  /** A line for each row that could be taken, empty for one that is rejected. */
  readonly lines: string;
  /** Scripts by the number that the lines name them with. */
  readonly scripts: readonly string[];
  /** The rejected rows by their place. */
  readonly rejected: ReadonlyMap<number, ParsedRow>;
}

/** Packs rows; `unpackRows` gives the same again. */
export function packRows(rows: readonly ParsedRow[]): PackedRows {
  const scripts = new Map<string, number>();
  const rejected = new Map<number, ParsedRow>();
  const lines = rows.map((row, at) => {
    if (!row.ok) {
      rejected.set(at, row);
      return '';
    }
    const { script, username } = row.operation;
    let number = scripts.get(script);
    if (number === undefined) {
      number = scripts.size;
      scripts.set(script, number);
    }
    return `${number} ${username} ${what(row.operation)}`;
  });
  return { lines: lines.join('\n'), scripts: [...scripts.keys()], rejected };
}

function what(operation: Operation): string {
  if (operation.action === 'revoke') return 'r';
  const { until } = operation;
  switch (until.kind) {
    case 'lifetime':
      return 'l';
    case 'date':
      return `d${until.expiresAt}`;
    default:
      return `${until.kind === 'duration' ? 'f' : 'x'}${until.duration.unit}${until.duration.amount}`;
  }
}

/** The rows that were packed. */
export function unpackRows({ lines, scripts, rejected }: PackedRows, count: number): ParsedRow[] {
  if (count === 0) return [];
  // Most rows of an upload ask for the same: one object for all of them.
  const asked = new Map<string, Until>();
  return lines.split('\n').map((line, at) => {
    const refused = rejected.get(at);
    if (refused !== undefined) return refused;
    const afterScript = line.indexOf(' ');
    const afterName = line.indexOf(' ', afterScript + 1);
    const script = scripts[Number(line.slice(0, afterScript))] ?? '';
    const username = line.slice(afterScript + 1, afterName);
    const text = line.slice(afterName + 1);
    if (text === 'r') return { ok: true, operation: { action: 'revoke', script, username } };
    let until = asked.get(text);
    if (until === undefined) {
      until = untilOf(text);
      asked.set(text, until);
    }
    return { ok: true, operation: { action: 'grant', script, username, until } };
  });
}

function untilOf(text: string): Until {
  if (text === 'l') return { kind: 'lifetime' };
  if (text[0] === 'd') return { kind: 'date', expiresAt: Number(text.slice(1)) };
  const duration = { amount: Number(text.slice(2)), unit: text[1] as 'D' };
  return { kind: text[0] === 'f' ? 'duration' : 'extend', duration };
}
