import { addCalendar } from './add-calendar.ts';
import type { RecordedOperation } from './recorded-history.ts';

/** No access, a lifetime, or a date between two bounds: accept times of rows are known to within their request only. */
export type Possible = 'none' | 'life' | { readonly lo: number; readonly hi: number };

/** What an access may have become. `owed`: an operation was superseded, and what replaced it is still to come. */
interface Branch {
  readonly state: Possible;
  readonly owed: boolean;
  /** Not before this time, ms: when the last of the operations in it was sent. */
  readonly since: number;
}

/** A state that a write may have brought about, and since when. */
export type Reachable = Pick<Branch, 'state' | 'since'>;

export interface Folded {
  /** What all operations together may have come to. */
  readonly final: readonly Possible[];
  /** What any write on the way may have carried; null where that is too much to tell. */
  readonly reachable: readonly Reachable[] | null;
}

/** Beyond this the order of the operations is too open to decide anything. */
const MOST_BRANCHES = 20_000;

/**
 * All states that the accepted operations of one access allow: folded in every order that versions and times leave open, with every fate
 * that their outcomes leave open. null where no order fits or there are too many.
 */
export function foldPossible(before: Possible, operations: readonly RecordedOperation[]): Folded | null {
  const ends = walk(before, operations, fatesInTheEnd);
  const ways = walk(before, operations, fatesOnTheWay);
  if (!ends) return null;
  return {
    final: ends.last.filter((b) => !b.owed).map((b) => b.state),
    reachable: ways?.all.filter((b) => !b.owed) ?? null,
  };
}

type Fate = 'effect' | 'none' | 'superseded';

function fatesInTheEnd({ outcomes, answered }: RecordedOperation): ReadonlySet<Fate> {
  const fates = new Set<Fate>();
  for (const outcome of outcomes) {
    if (outcome === 'superseded') fates.add('superseded');
    else if (outcome === 'rejected' || outcome === 'cancelled') fates.add('none');
    // The deciding read may have seen part of what failed: the fold goes on from what it saw.
    else if (outcome === 'failed') fates.add('none').add('effect');
    else fates.add('effect');
  }
  if (fates.size === 0) fates.add('none').add('effect');
  if (!answered) fates.add('none');
  return fates;
}

/** A write may carry an operation that ended superseded after all, but never one that was refused or cancelled. */
function fatesOnTheWay(operation: RecordedOperation): ReadonlySet<Fate> {
  const fates = new Set(fatesInTheEnd(operation));
  return fates.has('superseded') ? fates.add('effect') : fates;
}

function walk(
  before: Possible,
  operations: readonly RecordedOperation[],
  fatesOf: (operation: RecordedOperation) => ReadonlySet<Fate>,
): { readonly last: readonly Branch[]; readonly all: readonly Branch[] } | null {
  const fates = operations.map(fatesOf);
  const after = operations.map((b) => maskOf(operations, (a) => precedes(a, b)));
  const mayLetStand = maskOf(operations, (o) => isAbsolute(o) && fatesOf(o).has('none'));
  const start: Branch = { state: before, owed: false, since: 0 };
  let level = new Map([[0n, new Map([[branchName(start), start]])]]);
  const all = new Map([[branchName(start), start]]);
  for (let taken = 0; taken < operations.length; taken++) {
    const next = new Map<bigint, Map<string, Branch>>();
    let size = 0;
    for (const [mask, branches] of level) {
      for (const [i, operation] of operations.entries()) {
        const bit = 1n << BigInt(i);
        const needed = after[i] ?? 0n;
        if ((mask & bit) !== 0n || (mask & needed) !== needed) continue;
        const reached = next.get(mask | bit) ?? new Map<string, Branch>();
        next.set(mask | bit, reached);
        const replaced = (mayLetStand & ~(mask | bit)) === 0n;
        size -= reached.size;
        for (const branch of branches.values()) {
          for (const fate of fates[i] ?? []) {
            const stepped = step(branch, operation, fate);
            // What surely replaces it says what comes of it: its own state is of no interest.
            keepEarliest(reached, stepped.owed && replaced ? { ...stepped, state: 'none' } : stepped);
          }
        }
        size += reached.size;
        if (size > MOST_BRANCHES) return null;
      }
    }
    for (const branches of next.values()) for (const branch of branches.values()) keepEarliest(all, branch);
    level = next;
  }
  const [last] = level.values();
  return last ? { last: [...last.values()], all: [...all.values()] } : null;
}

function keepEarliest(into: Map<string, Branch>, branch: Branch): void {
  const name = branchName(branch);
  const known = into.get(name);
  if (!known || known.since > branch.since) into.set(name, branch);
}

function branchName({ state, owed }: Branch): string {
  return `${owed} ${typeof state === 'string' ? state : `${state.lo} ${state.hi}`}`;
}

function maskOf(operations: readonly RecordedOperation[], wanted: (operation: RecordedOperation) => boolean): bigint {
  return operations.reduce((mask, operation, i) => (wanted(operation) ? mask | (1n << BigInt(i)) : mask), 0n);
}

function isAbsolute({ change }: RecordedOperation): boolean {
  return change.kind !== 'extend';
}

function precedes(a: RecordedOperation, b: RecordedOperation): boolean {
  if (a === b) return false;
  if (a.version !== null && b.version !== null) return a.version < b.version;
  const inBatch = a.batch !== undefined && a.batch.id === b.batch?.id && a.redrivenAt === undefined;
  if (inBatch) return a.batch.row < b.batch.row;
  return Math.max(a.to, a.redrivenAt ?? 0) < b.from;
}

function step(branch: Branch, operation: RecordedOperation, fate: Fate): Branch {
  const since = Math.max(branch.since, operation.from);
  const owed = branch.owed && !isAbsolute(operation);
  if (fate === 'effect') return { state: apply(branch.state, operation), owed, since };
  return { state: branch.state, owed: owed || fate === 'superseded', since };
}

function apply(state: Possible, { change, from, to }: RecordedOperation): Possible {
  switch (change.kind) {
    case 'revoke':
      return 'none';
    case 'set':
      return change.expiresAt === null ? 'life' : { lo: change.expiresAt, hi: change.expiresAt };
    case 'set-for':
      return { lo: addCalendar(from, change.duration), hi: addCalendar(to, change.duration) };
    case 'extend': {
      if (state === 'life') return 'life';
      const { lo, hi } = state === 'none' ? { lo: 0, hi: 0 } : state;
      return {
        lo: addCalendar(Math.max(lo, from), change.duration),
        hi: addCalendar(Math.max(hi, to), change.duration),
      };
    }
  }
}
