import type { AccessState, Operation } from '@pinegate/access';
import type { Contributor } from '../../src/index.ts';
import type { Entry, State } from '../law.ts';

/** A state of the ledger's in the checker's terms, and back. */
export function stateOf(state: AccessState): State | '?' {
  if (state.state === 'unknown') return '?';
  return state.state === 'none' ? 'n' : (state.expiresAt ?? 'l');
}

export function stateFor(state: State): AccessState {
  return state === 'n' ? { state: 'none' } : { state: 'granted', expiresAt: state === 'l' ? null : state };
}

/** An entry of the checker's own from what was submitted. */
export function entryOf({ action, ...rest }: Operation, v: number, part: number, acceptedAt: number): Entry {
  const common = { v, part, acceptedAt, outcome: null };
  if (action === 'revoke') return { kind: 'r', ...common };
  const { until } = rest as Extract<Operation, { action: 'grant' }>;
  if (until.kind === 'date') return { kind: 'g', state: until.expiresAt, ...common };
  if (until.kind === 'lifetime') return { kind: 'l', ...common };
  return { kind: until.kind === 'extend' ? 'x' : 'd', ...until.duration, ...common };
}

/** A contributor of the ledger's; `now` stands in for accept times where a history drops that rule. */
export function entryFrom(c: Contributor, now: number | null): Entry {
  const common = { v: c.version, part: c.part, acceptedAt: 0, outcome: null };
  if (c.kind === 'revoke') return { kind: 'r', ...common };
  if (c.kind === 'set')
    return c.expiresAt === null ? { kind: 'l', ...common } : { kind: 'g', state: c.expiresAt, ...common };
  return { kind: c.kind === 'extend' ? 'x' : 'd', ...c.duration, ...common, acceptedAt: now ?? c.acceptedAt };
}

/** Where an operation stands among those accepted, whatever version a redrive gave it. */
export const orderOf = (e: Entry) => e.order ?? e.v;
/** An absolute operation replaces what was before it. */
export const isAbsolute = (e: Entry) => e.kind !== 'x';

/** Whether an entry that came back is the one that failed. */
export function sameOperation(a: Entry, b: Entry): boolean {
  const key = (e: Entry) =>
    JSON.stringify([
      e.kind,
      e.state ?? null,
      e.amount ?? null,
      e.unit ?? null,
      isAbsolute(e) && e.kind !== 'd' ? 0 : e.acceptedAt,
    ]);
  return key(a) === key(b);
}
