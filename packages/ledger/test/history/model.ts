import type { AccessRecord, PartRef, SubmitResult, SubmitRow } from '../../src/index.ts';
import { type Entry, law, type State } from '../law.ts';
import { entryFrom, entryOf, isAbsolute, orderOf, sameOperation, stateOf } from './entries.ts';

/** What a history showed to be wrong. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export interface PartModel {
  readonly number: number;
  readonly rows: Set<number>;
  total: number;
  refused: number;
  readonly outcomes: Map<string, number>;
}

/** What the checker looks at in a record. */
export type Seen = Pick<AccessRecord, 'version' | 'armedVersion' | 'base' | 'window' | 'chain'>;

/** An access never mentioned. */
export const NOTHING: Seen = { version: 0, armedVersion: 0, base: { state: 'unknown' }, window: 0, chain: [] };

export type Records = ReadonlyMap<string, Seen>;
export type Taken = Extract<SubmitResult, { status: 'taken' }>;

// What was superseded shares the fate of what replaced it, which is absolute itself.
const WITHOUT_EFFECT = new Set(['cancelled', 'rejected', 'failed', 'redriven', 'superseded']);

export const fail = (text: string): never => {
  throw new Violation(text);
};

/** Versions that left a chain between two looks, oldest first. */
export function goneFrom(name: string, prev: Records, next: Records): number[] {
  const left = new Set(next.get(name)?.chain.map((c) => c.version));
  return (prev.get(name)?.chain ?? []).map((c) => c.version).filter((v) => !left.has(v));
}

/** All that was ever accepted, in ledger order, with what became of it, and the counts that follow from it. */
export function createModel(initial: ReadonlyMap<string, State>, exists: (name: string) => boolean) {
  const names = [...initial.keys()];
  const history = new Map<string, Entry[]>(names.map((n) => [n, []]));
  const parts = new Map<string, PartModel>();
  const entries = (name: string) => history.get(name) as Entry[];
  const partNumbered = (number: number) => [...parts.values()].find((p) => p.number === number);

  function endEntry(name: string, v: number, outcome: string) {
    const entry =
      entries(name).find((e) => e.v === v && e.kind !== 'reset') ?? fail(`I1 ${name} v${v}: unknown, ended ${outcome}`);
    if (entry.outcome !== null) fail(`I1 ${name} v${v}: ${outcome} after ${entry.outcome}`);
    if (outcome === 'rejected' && exists(name)) fail(`I1 ${name} v${v}: rejected though the user exists`);
    entry.outcome = outcome;
    const part = partNumbered(entry.part) ?? fail(`I8 ${name} v${v}: of no part`);
    part.outcomes.set(outcome, (part.outcomes.get(outcome) ?? 0) + 1);
  }

  /** After a failure the fold restarts from what a read saw; after poison, from what it will see. */
  function reset(name: string, upTo: number, state: State | '?') {
    const list = entries(name);
    const at = list.findIndex((e) => e.v > upTo);
    const entry: Entry = { kind: 'reset', v: upTo, state: state as State, acceptedAt: 0, part: 0, outcome: null };
    list.splice(at < 0 ? list.length : at, 0, entry);
  }

  /** A base that became known says what the fold restarts from. */
  function learned(name: string, prev: Records, next: Records) {
    const base = stateOf(next.get(name)?.base ?? NOTHING.base);
    if (stateOf(prev.get(name)?.base ?? NOTHING.base) !== '?' || base === '?') return;
    history.set(
      name,
      entries(name).map((e) => (e.kind === 'reset' && (e.state as string) === '?' ? { ...e, state: base } : e)),
    );
  }

  /** `unchangedOf` reads how many of the part ended unchanged. */
  async function acceptRows(
    ref: PartRef,
    rows: readonly SubmitRow[],
    answer: Taken,
    prev: Records,
    next: Records,
    unchangedOf: () => Promise<number>,
  ) {
    const part = parts.get(ref.id) ?? {
      number: answer.part,
      rows: new Set(),
      total: 0,
      refused: 0,
      outcomes: new Map(),
    };
    parts.set(ref.id, part);
    const version = new Map(names.map((n) => [n, prev.get(n)?.version ?? 0]));
    const fresh = new Map<string, Entry[]>();
    for (const { row, operation } of rows) {
      if (part.rows.has(row)) continue;
      part.rows.add(row);
      if (answer.refused.includes(row)) {
        part.refused += 1;
        continue;
      }
      const name = operation.username.toLowerCase();
      const v = (version.get(name) ?? 0) + 1;
      version.set(name, v);
      const entry = entryOf(operation, v, part.number, answer.acceptedAt);
      entries(name).push(entry);
      fresh.set(name, [...(fresh.get(name) ?? []), entry]);
      part.total += 1;
    }
    for (const name of names) endAccepted(name, fresh.get(name) ?? [], prev, next);
    const replaced = [...fresh].flatMap(([name, all]) => {
      const left = new Set(next.get(name)?.chain.map((c) => c.version));
      return all.filter((e) => e.outcome === null && !left.has(e.v)).map((e) => ({ name, v: e.v }));
    });
    if (replaced.length > 0) endReplaced(replaced, (await unchangedOf()) - (part.outcomes.get('unchanged') ?? 0));
  }

  /** What was in the chain before was superseded; what did not get into it, with nothing later to replace it, ended unchanged. */
  function endAccepted(name: string, fresh: readonly Entry[], prev: Records, next: Records) {
    for (const v of goneFrom(name, prev, next)) endEntry(name, v, 'superseded');
    const left = new Set(next.get(name)?.chain.map((c) => c.version));
    for (const [i, e] of fresh.entries()) {
      if (!left.has(e.v) && !fresh.slice(i + 1).some(isAbsolute)) endEntry(name, e.v, 'unchanged');
    }
  }

  /** One that a later row of its own call replaced has no effect either way: the part says how many ended unchanged before that. */
  function endReplaced(replaced: readonly { name: string; v: number }[], unchanged: number) {
    replaced.forEach(({ name, v }, i) => {
      endEntry(name, v, i < unchanged ? 'unchanged' : 'superseded');
    });
  }

  /** Failed operations enter the chain again unless something later stands in their place. */
  function redriven(id: string, prev: Records, next: Records, counts: { redriven: number; superseded: number }) {
    const part = parts.get(id) ?? fail(`redrive of ${id}, which has no part`);
    const seen = { redriven: 0, superseded: 0 };
    for (const name of names) {
      const known = new Set(prev.get(name)?.chain.map((c) => c.version));
      const entered = (next.get(name)?.chain ?? []).filter((c) => !known.has(c.version));
      for (const e of entries(name).filter((x) => x.outcome === 'failed' && x.part === part.number)) {
        const i = entered.findIndex((c) => sameOperation(entryFrom(c, null), e));
        const [c] = i < 0 ? [] : entered.splice(i, 1);
        if (c && hasSuccessor(name, e)) fail(`redrive ${name} v${e.v}: something later was accepted`);
        if (!c && !entries(name).some((x) => x.v > e.v)) fail(`redrive ${name} v${e.v}: superseded by nothing`);
        e.outcome = c ? 'redriven' : 'superseded';
        seen[e.outcome as 'redriven' | 'superseded'] += 1;
        if (c) entries(name).push({ ...e, v: c.version, order: orderOf(e), outcome: null });
      }
    }
    part.outcomes.set('failed', (part.outcomes.get('failed') ?? 0) - seen.redriven - seen.superseded);
    part.outcomes.set('superseded', (part.outcomes.get('superseded') ?? 0) + seen.superseded);
    if (seen.redriven !== counts.redriven || seen.superseded !== counts.superseded) {
      fail(`I8 redrive answered ${JSON.stringify(counts)}, not ${JSON.stringify(seen)}`);
    }
  }

  function hasSuccessor(name: string, e: Entry): boolean {
    return entries(name).some(
      (x) => x.kind !== 'reset' && orderOf(x) > orderOf(e) && !WITHOUT_EFFECT.has(x.outcome ?? '') && isAbsolute(x),
    );
  }

  return {
    names,
    parts,
    entries,
    lawOf: (name: string) => law(initial.get(name) as State, entries(name)),
    endEntry,
    reset,
    learned,
    acceptRows,
    redriven,
  };
}
