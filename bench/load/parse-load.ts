/** What a load is made of. */
export interface LoadSettings {
  readonly minutes: number;
  /** Single operations a second. */
  readonly rate: number;
  readonly batchRows: number;
  readonly batchEveryS: number;
  /** Reads over the API a second. */
  readonly reads: number;
  /** Pages of the dashboard a second. */
  readonly dashboards: number;
  /** Users that all operations are about, in each of the accounts. */
  readonly users: number;
  readonly accounts: number;
  readonly workers: number;
  readonly latencyMs: number;
  /** How long settled batches, operations and answers are kept, s. */
  readonly retentionS: number;
  /** Whether to wait in the end until all of that has expired. */
  readonly expire: boolean;
}

export const LOAD_OPTIONS = {
  minutes: { type: 'string', default: '20' },
  rate: { type: 'string', default: '20' },
  'batch-rows': { type: 'string', default: '1000' },
  'batch-every': { type: 'string', default: '15' },
  reads: { type: 'string', default: '50' },
  dashboards: { type: 'string', default: '2' },
  users: { type: 'string', default: '2000' },
  accounts: { type: 'string', default: '2' },
  workers: { type: 'string', default: '2' },
  latency: { type: 'string', default: '50' },
  retention: { type: 'string', default: '180' },
  expire: { type: 'boolean', default: false },
} as const;

type Given = Readonly<Record<keyof typeof LOAD_OPTIONS, string | boolean | undefined>>;

/** Settings from the command line. Throws RangeError for what is not a number above 0. */
export function parseLoad(given: Partial<Given>): LoadSettings {
  const number = (flag: keyof typeof LOAD_OPTIONS) => {
    const value = Number(given[flag] ?? LOAD_OPTIONS[flag].default);
    if (!(value > 0)) throw new RangeError(`--${flag} must be a number above 0`);
    return value;
  };
  return {
    minutes: number('minutes'),
    rate: number('rate'),
    batchRows: number('batch-rows'),
    batchEveryS: number('batch-every'),
    reads: number('reads'),
    dashboards: number('dashboards'),
    users: number('users'),
    accounts: number('accounts'),
    workers: number('workers'),
    latencyMs: number('latency'),
    retentionS: number('retention'),
    expire: given.expire === true,
  };
}
