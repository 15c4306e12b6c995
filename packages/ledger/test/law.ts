/** An accepted operation as the checker remembers it, or a reset: what a deciding read saw after operations failed. */
export interface Entry {
  readonly kind: 'g' | 'l' | 'r' | 'x' | 'd' | 'reset';
  v: number;
  /** Date of `g`, state of `reset`. */
  readonly state?: State;
  readonly amount?: number;
  readonly unit?: string;
  readonly acceptedAt: number;
  readonly part: number;
  outcome: string | null;
  /** Version at its accept, where a redrive gave it another. */
  readonly order?: number;
}

/** none, lifetime or an expiry in ms. */
export type State = 'n' | 'l' | number;

/** Calendar arithmetic of the checker's own, not the ledger's caller's: UTC, clamped to the month's end. */
function addCalendar(at: number, amount: number, unit: string): number {
  const date = new Date(at);
  if (unit === 'D' || unit === 'W') return at + amount * (unit === 'W' ? 7 : 1) * 86_400_000;
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + amount * (unit === 'Y' ? 12 : 1));
  const days = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, days));
  return date.getTime();
}

function applyEntry(state: State | '?', e: Entry, now: number | null): State {
  const accepted = now ?? e.acceptedAt;
  if (e.kind === 'r') return 'n';
  if (e.kind === 'l') return 'l';
  if (e.kind === 'g' || e.kind === 'reset') return e.state as State;
  if (e.kind === 'd') return addCalendar(accepted, e.amount ?? 0, e.unit ?? 'D');
  if (state === 'l') return 'l';
  const from = typeof state === 'number' ? Math.max(state, accepted) : accepted;
  return addCalendar(from, e.amount ?? 0, e.unit ?? 'D');
}

/** Folds a chain over a base; `now` replaces the accept times where a test drops that rule. */
export function foldEntries(base: State | '?', entries: readonly Entry[], now: number | null = null): State {
  let state: State | '?' = base;
  for (const e of entries) state = applyEntry(state, e, now);
  return state as State;
}

const WITHOUT_EFFECT = new Set(['cancelled', 'rejected', 'failed', 'superseded', 'redriven']);

/** The law of I2: fold of everything accepted that had an effect, in ledger order, over the state found first. */
export function law(initial: State, history: readonly Entry[]): State {
  return foldEntries(
    initial,
    history.filter((e) => e.outcome === null || !WITHOUT_EFFECT.has(e.outcome)),
  );
}

/** A date that has passed and no entry agree. */
export function shown(state: State, now: number): State {
  return typeof state === 'number' && state <= now ? 'n' : state;
}
