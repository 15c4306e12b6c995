import type { ParseArgsOptionsConfig } from 'node:util';

/** A cell of a table: null where there is nothing to say. */
export type Cell = string | number | null;

/** One line of the table, and of the JSON file, by column. */
export type Row = Readonly<Record<string, Cell>>;

/** What a bench is run with. */
export interface BenchInput {
  /** Seed of every random choice, for the sandbox too. */
  readonly seed: string;
  /** The command line's flags that the bench declared. */
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  /** Writes a line of progress. */
  tell(line: string): void;
  /** Takes a result as soon as it is there: it is kept also if the bench breaks off. Rows with the same columns are one table. */
  report(row: Row): void;
  /** Aborted when the bench has taken too long. */
  readonly signal: AbortSignal;
}

/** One benchmark. `run` starts and stops its own processes. */
export interface Bench {
  readonly summary: string;
  readonly options: ParseArgsOptionsConfig;
  /** Values of its flags that make it end within 30 s or so, for `--smoke`: that it works is seen, the figures mean nothing. */
  readonly smoke: Readonly<Record<string, string | boolean>>;
  /** It is given up after this, ms. */
  maxMs(flags: BenchInput['flags']): number;
  run(input: BenchInput): Promise<void>;
}
