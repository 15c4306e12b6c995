import { foldPossible, type Possible } from './fold-possible.ts';
import { historyText, showState } from './history-text.ts';
import {
  accessKey,
  type BatchReading,
  type RecordedHistory,
  type RecordedMember,
  type RecordedOperation,
  type RecordedWrite,
  type Violation,
} from './recorded-history.ts';

export interface Verdict {
  readonly violations: readonly Violation[];
  /** Accesses that were checked. */
  readonly keys: number;
  /** Writes at the same time as another of their key, while a worker stood still. */
  readonly excusedOverlaps: number;
  /** All that happened to one access, line by line. */
  history(key: string): string;
  /** All violations, each wrong access followed by its history; empty when there is none. */
  report(): string;
}

/**
 * Compares what the sandbox logged and holds with what folding the accepted operations gives: the invariants I1 to I4 and I8. Pure.
 * Reads the run as a client saw it, so it also judges what no ledger can tell: a ledger that is wrong about itself is wrong here.
 */
export function checkHistory(history: RecordedHistory): Verdict {
  const violations: Violation[] = [];
  const byKey = new Map<string, Gathered>();
  const at = (script: string, username: string) => {
    const key = accessKey(script, username);
    const known = byKey.get(key) ?? { operations: [], writes: [], before: 'none', member: 'none' };
    byKey.set(key, known);
    return known;
  };
  for (const o of history.operations) at(o.script, o.username).operations.push(o);
  for (const w of history.writes) at(w.pine_id, w.username).writes.push(w);
  for (const m of history.membersBefore ?? []) at(m.script, m.username).before = stateOf(m);
  for (const m of history.members) at(m.script, m.username).member = stateOf(m);

  const overlaps = splitOverlaps(history);
  for (const w of overlaps.unexcused) {
    const key = accessKey(w.pine_id, w.username);
    violations.push({ invariant: 'I4', key, detail: `write ${w.seq} arrived while another was in flight` });
  }
  for (const [key, gathered] of byKey) violations.push(...checkKey(key, gathered, history.readAt));
  violations.push(...checkReadings(history, byKey), ...checkBatches(history.batches ?? []));

  const print = (key: string) => {
    const { operations = [], writes = [], before = 'none', member = 'none' } = byKey.get(key) ?? {};
    return historyText({ key, operations, writes, before, member });
  };
  return {
    violations,
    keys: byKey.size,
    excusedOverlaps: overlaps.excused,
    history: print,
    report: () => report(violations, print),
  };
}

interface Gathered {
  readonly operations: RecordedOperation[];
  readonly writes: RecordedWrite[];
  before: Possible;
  member: Possible;
}

function stateOf({ expiration }: RecordedMember): Possible {
  if (expiration === null) return 'life';
  const date = Date.parse(expiration);
  return { lo: date, hi: date };
}

/** A date that has passed and no access agree. */
function covers(possible: Possible, seen: Possible, now: number): boolean {
  if (typeof possible === 'string' && possible === seen) return true;
  const passed = (s: Possible) => s === 'none' || (s !== 'life' && s.lo <= now);
  if (passed(possible) && passed(seen)) return true;
  if (typeof possible === 'string' || typeof seen === 'string') return false;
  return possible.lo <= seen.lo && seen.hi <= possible.hi;
}

function checkKey(key: string, { operations, writes, before, member }: Gathered, readAt: number): Violation[] {
  const found: Violation[] = [];
  for (const o of operations) {
    if (o.answered && o.outcomes.length === 0) {
      found.push({ invariant: 'I1', key, detail: `${o.source} was accepted and reached no outcome` });
    }
  }
  const folded = foldPossible(before, operations);
  if (!folded) {
    found.push({
      invariant: 'I2',
      key,
      detail: 'no order of the operations fits their versions and times, or too many',
    });
    return found;
  }
  if (!folded.final.some((state) => covers(state, member, readAt))) {
    const wanted = [...new Set(folded.final.map(showState))].slice(0, 5).join(' or ');
    found.push({ invariant: 'I2', key, detail: `upstream holds ${showState(member)}, the operations give ${wanted}` });
  }
  const { reachable } = folded;
  // Dozens of extensions that were all superseded may have been written in too many ways to list: only the end is judged then.
  if (reachable === null) return found;
  for (const w of writes) {
    if (!w.applied) continue;
    const wrote = w.op === 'remove' ? ('none' as const) : stateOf({ ...w, script: w.pine_id });
    const asked = reachable.some(({ state, since }) => since <= w.at && covers(state, wrote, w.at));
    // Where modify cannot make a lifetime, a remove before its add is part of it.
    const replacing = wrote === 'none' && reachable.some(({ state }) => state === 'life');
    if (!asked && !replacing) {
      found.push({
        invariant: 'I3',
        key,
        detail: `write ${w.seq} made it ${showState(wrote)}, which nobody asked for`,
      });
    }
  }
  return found;
}

function splitOverlaps({ writes, frozen = [] }: RecordedHistory) {
  const overlapping = writes.filter((w) => w.overlap);
  const unexcused = overlapping.filter((w) => !frozen.some(({ from, to }) => from <= w.arrivedAt && w.arrivedAt <= to));
  return { unexcused, excused: overlapping.length - unexcused.length };
}

function checkReadings({ accesses = [], readAt }: RecordedHistory, byKey: ReadonlyMap<string, Gathered>): Violation[] {
  const found: Violation[] = [];
  for (const { script, username, status, applied } of accesses) {
    const key = accessKey(script, username);
    if (status === 'pending') found.push({ invariant: 'I1', key, detail: 'the API still calls it pending' });
    const member = byKey.get(key)?.member ?? 'none';
    // What nobody knows is no wrong answer.
    if (applied.state === 'unknown' || status === 'pending') continue;
    const shown = applied.state === 'none' ? 'none' : stateOf({ script, username, expiration: applied.expiresAt });
    if (covers(shown, member, readAt)) continue;
    const detail = `the API shows ${showState(shown)}, upstream holds ${showState(member)}`;
    found.push({ invariant: 'I2', key, detail });
  }
  return found;
}

function checkBatches(readings: readonly BatchReading[]): Violation[] {
  const found: Violation[] = [];
  const last = new Map<string, BatchReading>();
  for (const reading of readings) {
    const { id, total, pending, outcomes } = reading;
    const sum = pending + Object.values(outcomes).reduce((a, b) => a + b, 0);
    if (sum !== total) {
      found.push({
        invariant: 'I8',
        key: null,
        detail: `batch ${id}: pending and outcomes make ${sum}, total ${total}`,
      });
    }
    if (total < (last.get(id)?.total ?? 0)) {
      found.push({ invariant: 'I8', key: null, detail: `batch ${id}: its total fell to ${total}` });
    }
    last.set(id, reading);
  }
  for (const { id, pending } of last.values()) {
    if (pending > 0) found.push({ invariant: 'I1', key: null, detail: `batch ${id}: ${pending} operations pending` });
  }
  return found;
}

function report(violations: readonly Violation[], print: (key: string) => string): string {
  const lines = violations.map(({ invariant, key, detail }) => `${invariant} ${key ?? ''} ${detail}`);
  const keys = new Set(violations.flatMap(({ key }) => (key === null ? [] : [key])));
  return [...lines, ...[...keys].map(print)].join('\n');
}
