import type { Row } from './bench.ts';
import type { Bar, BarChart } from './draw-bars.ts';

/** A picture in docs/images, drawn from the rows of one bench. */
export interface Chart {
  readonly file: string;
  readonly bench: string;
  draw(rows: readonly Row[]): BarChart;
}

/** The value of a column as a number. */
const number = (row: Row, column: string) => Number(row[column]);
/** The rows that have a column. */
const withColumn = (rows: readonly Row[], column: string) => rows.filter((row) => column in row);

const SIDES: Readonly<Record<string, string>> = {
  pinegate: 'Pinegate',
  loop: 'bare undici loop',
  jobs: 'one job an operation',
  'jobs-ledger': 'the same with a ledger',
};

/** Every picture of docs/performance.md. */
export const CHARTS: readonly Chart[] = [
  {
    file: 'throughput',
    bench: 'throughput',
    draw(rows) {
      const summary = withColumn(rows, 'median op/s');
      const loop = number(summary.find(({ side }) => side === 'loop') ?? {}, 'median op/s');
      const bars = summary.map((row): Bar => {
        const side = String(row.side);
        const bar = { label: SIDES[side] ?? side, value: number(row, 'median op/s') };
        return side === 'pinegate' ? { ...bar, own: true, target: 0.6 * loop } : bar;
      });
      return { title: 'Operations without any limit (line: 0.6 of the loop)', unit: 'a second', bars };
    },
  },
  {
    file: 'latency-bound',
    bench: 'latency-bound',
    draw(rows) {
      const bars = withColumn(rows, 'median op/s').map((row): Bar => {
        const bar = { label: String(row.side), value: number(row, 'median op/s') };
        return row['bound op/s'] === null ? bar : { ...bar, own: true, target: number(row, 'bound op/s') };
      });
      return { title: 'Operations at 150 ms a request (line: what the cap allows)', unit: 'a second', bars };
    },
  },
  {
    file: 'http2',
    bench: 'http2',
    draw(rows) {
      const bars = withColumn(rows, 'median requests/s').map((row): Bar => {
        const name = row.protocol === 'http2' ? 'HTTP/2' : 'HTTP/1.1';
        const label = `${name}, ${row['in flight']} in flight`;
        return { label, value: number(row, 'median requests/s'), own: row.protocol === 'http2' };
      });
      return { title: 'Requests of one process over TLS', unit: 'a second', bars };
    },
  },
  {
    file: 'ingest',
    bench: 'ingest',
    draw(rows) {
      const bars = withColumn(rows, 'rows/s').map((row): Bar => {
        const how = row.threads === 0 ? 'by the process itself' : `by ${row.threads} thread`;
        return {
          label: `${row.format}, ${how}`,
          value: number(row, 'rows/s'),
          own: row.threads === 0,
          target: 70_000,
        };
      });
      return { title: 'Rows of an upload, taken in (line: 70,000)', unit: 'a second', bars };
    },
  },
  {
    file: 'single',
    bench: 'single',
    draw(rows) {
      const bars = withColumn(rows, 'requests/s').map((row): Bar => {
        const label = row.processes === 1 ? '1 process' : `${row.processes} processes`;
        return { label, value: number(row, 'requests/s'), own: true, target: 3_000 };
      });
      return { title: 'Single grants over REST (line: 3,000)', unit: 'a second', bars };
    },
  },
  {
    file: 'memory',
    bench: 'memory',
    draw(rows) {
      const pending = withColumn(rows, 'pending operations').map((row): Bar => {
        const label = `${number(row, 'pending operations').toLocaleString('en')} pending`;
        return { label, value: number(row, 'bytes/operation'), own: true, target: 110 };
      });
      const settled = withColumn(rows, 'settled accesses').map((row): Bar => {
        const label = `${number(row, 'settled accesses').toLocaleString('en')} settled`;
        return { label, value: number(row, 'bytes/access'), own: true, target: 70 };
      });
      return { title: 'Redis (lines: 110 and 70)', unit: 'bytes each', bars: [...pending, ...settled] };
    },
  },
  {
    file: 'scale',
    bench: 'scale',
    draw(rows) {
      const summary = withColumn(rows, 'median op/s');
      const backlogs = withColumn(summary, 'backlog');
      const small = number(backlogs[0] ?? {}, 'median op/s');
      const bars = summary.map((row): Bar => {
        const value = number(row, 'median op/s');
        if ('backlog' in row) {
          const label = `${number(row, 'backlog').toLocaleString('en')} pending`;
          return { label, value, own: true, target: 0.9 * small };
        }
        const label = `latency-bound, ${row.workers} worker${row.workers === 1 ? '' : 's'}`;
        return { label, value, own: true, target: number(row, 'bound op/s') };
      });
      return { title: 'Operations (lines: 0.9 of the small backlog; the bound)', unit: 'a second', bars };
    },
  },
  {
    file: 'idle',
    bench: 'idle',
    draw(rows) {
      const bars = withColumn(rows, '% of a core').map((row): Bar => {
        const bar = { label: String(row.process ?? 'all'), value: number(row, '% of a core') };
        return 'process' in row ? bar : { ...bar, own: true, target: 3 };
      });
      return { title: 'A stack of 20 accounts with nothing to do (line: 3)', unit: '% of a core', bars };
    },
  },
  {
    file: 'cache',
    bench: 'cache',
    draw(rows) {
      const bars = withColumn(rows, '% saved').map((row): Bar => {
        const bar = { label: String(row.roster), value: number(row, '% saved') };
        return number(row, 'look-ups') === number(row, 'rows') ? bar : { ...bar, own: true, target: 90 };
      });
      return { title: 'Look-ups saved by the validation cache (line: 90)', unit: '%', bars };
    },
  },
];
