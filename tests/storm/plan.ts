import { buildRandom, type Random } from '../../examples/seeded-random.ts';
import { ACCOUNTS, CONTESTED, FILLERS, FREEZE_MS, GHOSTS, LATE_MS, LEASE_MS, SCRIPTS, U_MS } from './stage.ts';

/** A change as planned; dates are ms after it is first sent. */
export type PlannedChange =
  | { readonly kind: 'date'; readonly afterMs: number }
  | { readonly kind: 'life' }
  | { readonly kind: 'duration'; readonly duration: string }
  | { readonly kind: 'extend'; readonly duration: string }
  | { readonly kind: 'revoke' };

export interface PlannedRow {
  readonly script: string;
  readonly username: string;
  readonly change: PlannedChange;
}

export interface PlannedBatch {
  readonly kind: 'batch';
  readonly form: 'json' | 'ndjson' | 'csv';
  readonly rows: readonly PlannedRow[];
  /** A second client sends the same at the same time. */
  readonly twice: boolean;
  /** Breaks off first when this share of its bytes is out. */
  readonly cutAt: number | null;
  readonly cancelAfterMs: number | null;
}

export type Action =
  | ({ readonly kind: 'single'; readonly twice: boolean } & PlannedRow)
  | PlannedBatch
  | { readonly kind: 'retry-batch'; readonly draw: number }
  | { readonly kind: 'retry-access'; readonly script: string; readonly username: string }
  | { readonly kind: 'refresh'; readonly script: string; readonly mode: 'report' | 'adopt' }
  | { readonly kind: 'kill-worker' | 'freeze-worker'; readonly worker: number; readonly forMs: number }
  | { readonly kind: 'kill-api' | 'freeze-api'; readonly api: number; readonly forMs: number }
  | { readonly kind: 'kill-redis' | 'freeze-redis'; readonly forMs: number }
  | { readonly kind: 'empty-queues' | 'lose-bells'; readonly account: string }
  | { readonly kind: 'upstream'; readonly options: object }
  | { readonly kind: 'end-session'; readonly account: string; readonly form: string; readonly forMs: number };

export interface Planned {
  /** ms after the storm began. */
  readonly at: number;
  readonly action: Action;
}

export interface Plan {
  readonly seed: number;
  /** Switches of the upstream for the whole run. */
  readonly switches: Readonly<Record<string, unknown>>;
  readonly actions: readonly Planned[];
}

export const WORKERS = 3;
export const APIS = 2;
const DURATIONS = ['1D', '30D', '1M', '3M', '1Y', '2W'];
const FORMS = ['json', 'ndjson', 'csv'] as const;
const SESSION_FORMS = ['unauthorized', 'login_required', 'detail', 'redirect', 'html'];
const FAULTS = [
  'serverError',
  'serverErrorAfter',
  'resetBefore',
  'resetAfter',
  'hang',
  'hangAfter',
  'lateWrite',
  'lateWrite',
  'cutLength',
  'cutClose',
  'drip',
  'challenge',
  'wrongType',
  'refuse',
  'storm',
];

/** Everything that will be done, by seed: the same seed and length give the same plan. What comes of it depends on real time. */
export function createPlan(seed: number, lengthMs: number): Plan {
  const random = buildRandom(seed);
  const expiredListed = random.below(3) > 0;
  const switches = {
    expiredListed,
    // Where the upstream forgets who has expired and calls a modify of nobody ok, a date that passes on the way is lost unseen.
    modifyNonMember: expiredListed ? random.pick(['422', 'ok']) : '422',
    removeAbsent: random.pick(['not_exists', '422']),
    usernameFilter: random.pick(['prefix', 'substring']),
  };
  const actions = [...planClients(random, lengthMs), ...planChaos(random, lengthMs), ...planUpstream(random, lengthMs)];
  actions.sort((a, b) => a.at - b.at);
  return { seed, switches, actions };
}

function between(random: Random, low: number, high: number): number {
  return low + random.below(high - low);
}

function change(random: Random): PlannedChange {
  const draw = random.below(100);
  if (draw < 20) return { kind: 'revoke' };
  if (draw < 34) return { kind: 'date', afterMs: between(random, 40, 4_000) * 86_400_000 + random.below(86_400_000) };
  // One that passes during the storm.
  if (draw < 42) return { kind: 'date', afterMs: between(random, 6_000, 25_000) };
  if (draw < 50) return { kind: 'life' };
  const duration = random.pick(DURATIONS);
  return draw < 60 ? { kind: 'duration', duration } : { kind: 'extend', duration };
}

function spelledAnyhow(random: Random, name: string): string {
  const draw = random.below(6);
  return draw === 0 ? name.toUpperCase() : draw === 1 ? name.toLowerCase() : name;
}

function row(random: Random, fillers: number): PlannedRow {
  const draw = random.below(100);
  const names = draw < fillers ? FILLERS : draw > 96 ? GHOSTS : CONTESTED;
  return {
    script: random.pick(SCRIPTS),
    username: spelledAnyhow(random, random.pick(names)),
    change: change(random),
  };
}

function planClients(random: Random, lengthMs: number): Planned[] {
  const planned: Planned[] = [];
  for (let at = 200; at < lengthMs; at += between(random, 100, 450)) {
    planned.push({ at, action: { kind: 'single', twice: random.below(5) === 0, ...row(random, 0) } });
  }
  for (let at = 700; at < lengthMs; at += between(random, 900, 2_800)) planned.push({ at, action: batch(random) });
  for (let at = 6_000; at < lengthMs; at += between(random, 2_000, 6_000)) {
    const draw = random.below(4);
    if (draw < 2) {
      planned.push({ at, action: { kind: 'retry-batch', draw: random.below(1_000) } });
    } else if (draw === 2) {
      const access = { script: random.pick(SCRIPTS), username: random.pick(CONTESTED) };
      planned.push({ at, action: { kind: 'retry-access', ...access } });
    } else {
      planned.push({
        at,
        action: { kind: 'refresh', script: random.pick(SCRIPTS), mode: random.pick(['report', 'adopt']) },
      });
    }
  }
  return planned;
}

// One upload in fifteen has more than the thousand rows that are taken at a time, and so can break off half taken.
function batch(random: Random): PlannedBatch {
  const huge = random.below(15) === 0;
  const count = huge ? between(random, 1_050, 1_300) : random.pick([1, 3, 8, 20, 60, 120]);
  const rows = Array.from({ length: count }, () => row(random, huge ? 85 : count > 50 ? 50 : 10));
  const form = huge ? random.pick(['ndjson', 'csv'] as const) : random.pick(FORMS);
  return {
    kind: 'batch',
    form,
    rows,
    twice: random.below(4) === 0,
    cutAt: huge || random.below(4) === 0 ? between(random, 30, 98) / 100 : null,
    cancelAfterMs: random.below(3) === 0 ? between(random, 50, 6_000) : null,
  };
}

/** Kills and freezes. One victim is never harmed twice at a time; of two things that together would break A2, the later is left out. */
function planChaos(random: Random, lengthMs: number): Planned[] {
  const planned: Planned[] = [];
  const free = new Map<string, number>();
  const at = (victim: string) => free.get(victim) ?? 0;
  for (let now = 2_500; now < lengthMs - 3_000; now += between(random, 1_200, 3_400)) {
    const draw = random.below(100);
    const worker = random.below(WORKERS);
    const api = random.below(APIS);
    const account = random.pick(ACCOUNTS).id;
    const long = random.below(6) === 0 && lengthMs > 60_000;
    const freezeMs = long ? U_MS + LEASE_MS + between(random, 500, 3_000) : between(random, 500, FREEZE_MS);
    if (draw < 28) {
      const forMs = between(random, 100, 2_500);
      if (at(`worker ${worker}`) > now) continue;
      free.set(`worker ${worker}`, now + forMs + 1_500);
      planned.push({ at: now, action: { kind: 'kill-worker', worker, forMs } });
    } else if (draw < 46) {
      if (at(`worker ${worker}`) > now) continue;
      // A holder that stands still for longer than A1 allows must reach its settle (A2).
      free.set(`worker ${worker}`, now + freezeMs + (long ? 5_000 : 0));
      if (long) free.set('redis', Math.max(at('redis'), now + freezeMs + 5_000));
      planned.push({ at: now, action: { kind: 'freeze-worker', worker, forMs: freezeMs } });
    } else if (draw < 64) {
      const freeze = random.below(3) === 0;
      const forMs = freeze ? between(random, 300, 4_000) : between(random, 50, 2_000);
      if (at(`api ${api}`) > now) continue;
      free.set(`api ${api}`, now + forMs + 1_500);
      planned.push({ at: now, action: { kind: freeze ? 'freeze-api' : 'kill-api', api, forMs } });
    } else if (draw < 76) {
      const freeze = random.below(2) === 0;
      const forMs = freeze ? between(random, 300, 6_000) : between(random, 50, 3_000);
      if (at('redis') > now) continue;
      free.set('redis', now + forMs + 4_000);
      planned.push({ at: now, action: { kind: freeze ? 'freeze-redis' : 'kill-redis', forMs } });
    } else if (draw < 86) {
      planned.push({ at: now, action: { kind: 'empty-queues', account } });
    } else {
      planned.push({ at: now, action: { kind: 'lose-bells', account } });
    }
  }
  return planned;
}

function planUpstream(random: Random, lengthMs: number): Planned[] {
  const planned: Planned[] = [];
  for (let at = 1_000; at < lengthMs; at += between(random, 2_500, 6_000)) {
    const faults: Record<string, number> = {};
    const heavy = random.below(8) === 0;
    if (heavy) faults[random.pick(['serverError', 'resetBefore', 'challenge'])] = 0.6;
    else for (let i = 0; i < 5; i += 1) faults[random.pick(FAULTS)] = between(random, 5, 60) / 1_000;
    const options = {
      faults,
      lateWriteMs: between(random, 50, LATE_MS),
      dripMs: between(random, 5, 250),
      stormMs: between(random, 200, 1_500),
      retryAfter: random.pick(['none', 'exact', 1]),
      latency: { uniform: [0, random.pick([5, 40, 300])] },
    };
    planned.push({ at, action: { kind: 'upstream', options } });
  }
  for (let at = 9_000; at < lengthMs - 5_000; at += between(random, 15_000, 40_000)) {
    const form = random.pick(SESSION_FORMS);
    const forMs = between(random, 500, 4_000);
    planned.push({ at, action: { kind: 'end-session', account: random.pick(ACCOUNTS).id, form, forMs } });
  }
  return planned;
}
