import type { Endpoint, Fault } from './options.ts';

export type AccountCounters = { requests: number; refused: number; inFlight: number; peak: number };

/** What happened since the start or the last reset. `peak` is the most requests in flight at once. */
export type CounterValues = {
  requests: number;
  inFlight: number;
  peak: number;
  /** By endpoint and by status; `reset`, `hung` (the client gave up) where there was no status. */
  endpoints: Partial<Record<Endpoint, Record<string, number>>>;
  /** By account id; `anonymous` for requests without a known session. */
  accounts: Record<string, AccountCounters>;
  faults: Partial<Record<Fault, number>>;
  /** Login attempts by username in lower case. */
  signins: Record<string, number>;
  /** Writes that arrived while another for the same script and user was in flight. */
  overlaps: number;
};

/** How a request ended: a status, or `reset`, or `hung`. */
export type Ending = number | 'reset' | 'hung';

export type Counters = {
  readonly values: CounterValues;
  /** Counts a request in; the returned function counts it out. */
  enter(endpoint: Endpoint, account: string): (ending: Ending) => void;
  fault(fault: Fault): void;
  signin(username: string): void;
  /** Counts a write in flight; `overlap` says whether there is another for the key. */
  enterWrite(key: string): { overlap: boolean; leave(): void };
  clear(): void;
};

export function buildCounters(): Counters {
  let values = fresh();
  const writing = new Map<string, number>();

  return {
    get values() {
      return values;
    },
    enter(endpoint, account) {
      const counted = values;
      let own = counted.accounts[account];
      if (!own) {
        own = { requests: 0, refused: 0, inFlight: 0, peak: 0 };
        counted.accounts[account] = own;
      }
      for (const each of [counted, own]) {
        each.requests++;
        each.peak = Math.max(each.peak, ++each.inFlight);
      }
      return (ending) => {
        counted.inFlight--;
        own.inFlight--;
        if (ending === 429) own.refused++;
        counted.endpoints[endpoint] ??= {};
        bump(counted.endpoints[endpoint], String(ending));
      };
    },
    fault: (fault) => bump(values.faults, fault),
    signin: (username) => bump(values.signins, username.toLowerCase()),
    enterWrite(key) {
      const others = writing.get(key) ?? 0;
      writing.set(key, others + 1);
      if (others > 0) values.overlaps++;
      return {
        overlap: others > 0,
        leave() {
          const left = (writing.get(key) ?? 1) - 1;
          if (left === 0) writing.delete(key);
          else writing.set(key, left);
        },
      };
    },
    clear() {
      values = fresh();
    },
  };
}

function fresh(): CounterValues {
  // Without a prototype, an account may be called `constructor`.
  const accounts = Object.create(null);
  const signins = Object.create(null);
  return { requests: 0, inFlight: 0, peak: 0, endpoints: {}, accounts, faults: {}, signins, overlaps: 0 };
}

function bump(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
