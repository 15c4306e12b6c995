import type { Operation } from '@pinegate/access';
import type { Redis } from '@pinegate/runtime';
import type {
  AccessRecord,
  AccountLedger,
  Claimed,
  Contributor,
  EndedOperation,
  PartRef,
  Settled,
  Settlement,
  SubmitResult,
  SubmitRow,
} from '../../src/index.ts';
import { type Entry, foldEntries, law, type State, shown } from '../law.ts';
import type { EventLoop } from './event-loop.ts';

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

type Record0 = Pick<AccessRecord, 'version' | 'armedVersion' | 'base' | 'window' | 'chain'>;

const NOTHING: Record0 = { version: 0, armedVersion: 0, base: { state: 'unknown' }, window: 0, chain: [] };

export function stateOf(state: AccessRecord['base']): State | '?' {
  if (state.state === 'unknown') return '?';
  return state.state === 'none' ? 'n' : (state.expiresAt ?? 'l');
}

export function stateFor(state: State): AccessRecord['base'] {
  return state === 'n' ? { state: 'none' } : { state: 'granted', expiresAt: state === 'l' ? null : state };
}

/** An entry of the checker's own from what was submitted. */
function entryOf({ action, ...rest }: Operation, v: number, part: number, acceptedAt: number): Entry {
  const common = { v, part, acceptedAt, outcome: null };
  if (action === 'revoke') return { kind: 'r', ...common };
  const { until } = rest as Extract<Operation, { action: 'grant' }>;
  if (until.kind === 'date') return { kind: 'g', state: until.expiresAt, ...common };
  if (until.kind === 'lifetime') return { kind: 'l', ...common };
  return { kind: until.kind === 'extend' ? 'x' : 'd', ...until.duration, ...common };
}

function entryFrom(c: Contributor, now: number | null): Entry {
  const common = { v: c.version, part: c.part, acceptedAt: 0, outcome: null };
  if (c.kind === 'revoke') return { kind: 'r', ...common };
  if (c.kind === 'set')
    return c.expiresAt === null ? { kind: 'l', ...common } : { kind: 'g', state: c.expiresAt, ...common };
  return { kind: c.kind === 'extend' ? 'x' : 'd', ...c.duration, ...common, acceptedAt: now ?? c.acceptedAt };
}

/** Where an operation stands among those accepted, whatever version a redrive gave it. */
const orderOf = (e: Entry) => e.order ?? e.v;
const isAbsolute = (e: Entry) => e.kind !== 'x';
const WITHOUT_EFFECT = new Set(['cancelled', 'rejected', 'failed']);

interface Options {
  readonly loop: EventLoop;
  readonly redis: Redis;
  readonly clockKey: string;
  readonly ledger: AccountLedger;
  readonly script: number;
  readonly initial: ReadonlyMap<string, State>;
  readonly exists: (name: string) => boolean;
  readonly dropped: ReadonlySet<string>;
  readonly trace: (text: string) => void;
}

export type Checker = ReturnType<typeof createChecker>;

/**
 * The ledger of one history, every call of which is one Lua call at the simulated time, followed by a look at all records: what left
 * a chain is matched with the outcomes that the call answered, and every write that is armed with the law.
 */
export function createChecker({ loop, redis, clockKey, ledger, script, initial, exists, dropped, trace }: Options) {
  const names = [...initial.keys()];
  const history = new Map<string, Entry[]>(names.map((n) => [n, []]));
  const parts = new Map<string, PartModel>();
  const cancelled = new Set<string>();
  let records = new Map<string, Record0>(names.map((n) => [n, NOTHING]));

  const fail = (text: string): never => {
    throw new Violation(text);
  };
  const entries = (name: string) => history.get(name) as Entry[];
  const before = (name: string) => records.get(name) as Record0;
  const lawOf = (name: string) => law(initial.get(name) as State, entries(name));
  const partNumbered = (number: number) => [...parts.values()].find((p) => p.number === number);

  /** What the caller computes from an answer: the ledger's contributors folded by the checker's own fold. */
  function targetOf(base: AccessRecord['base'], chain: readonly Contributor[]): State {
    const now = dropped.has('R2') ? loop.now() : null;
    return foldEntries(
      stateOf(base),
      chain.map((c) => entryFrom(c, now)),
    );
  }

  async function call<T>(what: string, run: () => Promise<T>): Promise<{ answer: T; next: Map<string, Record0> }> {
    // Three commands of one connection: they run in this order.
    const clock = redis.set(clockKey, loop.now());
    const [answer, found] = await Promise.all([run(), ledger.readAccess(script, names), clock]);
    trace(`${what} -> ${JSON.stringify(answer)}`);
    return { answer, next: new Map(names.map((n, i) => [n, found[i] ?? NOTHING])) };
  }

  function goneFrom(name: string, next: Map<string, Record0>): number[] {
    const left = new Set(next.get(name)?.chain.map((c) => c.version));
    return before(name)
      .chain.map((c) => c.version)
      .filter((v) => !left.has(v));
  }

  function endEntry(name: string, v: number, outcome: string) {
    const entry =
      entries(name).find((e) => e.v === v && e.kind !== 'reset') ?? fail(`I1 ${name} v${v}: unknown, ended ${outcome}`);
    if (entry.outcome !== null) fail(`I1 ${name} v${v}: ${outcome} after ${entry.outcome}`);
    if (outcome === 'rejected' && exists(name)) fail(`I1 ${name} v${v}: rejected though the user exists`);
    entry.outcome = outcome;
    const part = partNumbered(entry.part) ?? fail(`I8 ${name} v${v}: of no part`);
    part.outcomes.set(outcome, (part.outcomes.get(outcome) ?? 0) + 1);
  }

  /** What left the chains against the outcomes that were answered: keys in order, oldest first. */
  function matchEnded(order: readonly string[], next: Map<string, Record0>, ended: readonly EndedOperation[]) {
    const gone = order.flatMap((name) => goneFrom(name, next).map((v) => ({ name, v })));
    if (gone.length !== ended.length)
      fail(`I8 ${gone.length} left their chains, ${ended.length} outcomes were answered`);
    gone.forEach(({ name, v }, i) => {
      endEntry(name, v, ended[i]?.outcome ?? '');
    });
  }

  function adopt(next: Map<string, Record0>) {
    for (const name of names) {
      const known = new Set(entries(name).map((e) => e.v));
      for (const c of next.get(name)?.chain ?? []) {
        if (!known.has(c.version)) fail(`I8 ${name} v${c.version}: in the chain, never accepted`);
      }
    }
    records = next;
  }

  /** After a failure the fold restarts from what a read saw; after poison, from what it will see. */
  function reset(name: string, upTo: number, state: State | '?') {
    const list = entries(name);
    const at = list.findIndex((e) => e.v > upTo);
    const entry: Entry = { kind: 'reset', v: upTo, state: state as State, acceptedAt: 0, part: 0, outcome: null };
    list.splice(at < 0 ? list.length : at, 0, entry);
  }

  function learned(name: string, next: Map<string, Record0>) {
    const base = stateOf(next.get(name)?.base ?? { state: 'unknown' });
    if (stateOf(before(name).base) !== '?' || base === '?') return;
    history.set(
      name,
      entries(name).map((e) => (e.kind === 'reset' && (e.state as string) === '?' ? { ...e, state: base } : e)),
    );
  }

  function checkArmed(name: string, work: Claimed | Settled) {
    if (work.need !== 'write') return;
    const target = targetOf(work.base, work.chain);
    const want = lawOf(name);
    if (shown(target, loop.now()) !== shown(want, loop.now()))
      fail(`I3 ${name} v${work.version}: target ${target}, law ${want}`);
  }

  function acceptRows(
    ref: PartRef,
    rows: readonly SubmitRow[],
    answer: Extract<SubmitResult, { status: 'taken' }>,
    next: Map<string, Record0>,
  ) {
    const part = parts.get(ref.id) ?? {
      number: answer.part,
      rows: new Set(),
      total: 0,
      refused: 0,
      outcomes: new Map(),
    };
    parts.set(ref.id, part);
    const version = new Map(names.map((n) => [n, before(n).version]));
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
    for (const name of names) endAccepted(name, fresh.get(name) ?? [], next);
    return endReplaced(
      [...fresh].flatMap(([name, all]) => all.map((e) => ({ name, e }))),
      ref.id,
      part,
      next,
    );
  }

  /** What was in the chain before was superseded; what did not get into it, with nothing later to replace it, ended unchanged. */
  function endAccepted(name: string, fresh: readonly Entry[], next: Map<string, Record0>) {
    for (const v of goneFrom(name, next)) endEntry(name, v, 'superseded');
    const left = new Set(next.get(name)?.chain.map((c) => c.version));
    for (const [i, e] of fresh.entries()) {
      if (!left.has(e.v) && !fresh.slice(i + 1).some(isAbsolute)) endEntry(name, e.v, 'unchanged');
    }
  }

  /** One that a later row of its own call replaced has no effect either way: the part says how many ended unchanged before that. */
  async function endReplaced(
    fresh: readonly { name: string; e: Entry }[],
    id: string,
    part: PartModel,
    next: Map<string, Record0>,
  ) {
    const rest = fresh.filter(
      ({ name, e }) => e.outcome === null && !next.get(name)?.chain.some((c) => c.version === e.v),
    );
    if (rest.length === 0) return;
    const [found] = await ledger.readParts([id]);
    const unchanged = (found?.outcomes.unchanged ?? 0) - (part.outcomes.get('unchanged') ?? 0);
    rest.forEach(({ name, e }, i) => {
      endEntry(name, e.v, i < unchanged ? 'unchanged' : 'superseded');
    });
  }

  /** Failed operations enter the chain again unless something later stands in their place. */
  function redriven(id: string, next: Map<string, Record0>, counts: { redriven: number; superseded: number }) {
    const part = parts.get(id) ?? fail(`redrive of ${id}, which has no part`);
    let [back, replaced] = [0, 0];
    for (const name of names) {
      const known = new Set(before(name).chain.map((c) => c.version));
      const entered = (next.get(name)?.chain ?? []).filter((c) => !known.has(c.version));
      const failed = entries(name).filter((e) => e.outcome === 'failed' && e.part === part.number);
      for (const e of failed) {
        const i = entered.findIndex((c) => sameOperation(entryFrom(c, null), e));
        const c = i < 0 ? null : entered.splice(i, 1)[0];
        if (c && hasSuccessor(name, e)) fail(`redrive ${name} v${e.v}: something later was accepted`);
        if (!c && !entries(name).some((x) => x.v > e.v)) fail(`redrive ${name} v${e.v}: superseded by nothing`);
        e.outcome = c ? 'redriven' : 'superseded';
        part.outcomes.set('failed', (part.outcomes.get('failed') ?? 0) - 1);
        if (!c) part.outcomes.set('superseded', (part.outcomes.get('superseded') ?? 0) + 1);
        if (c) entries(name).push({ ...e, v: c.version, order: orderOf(e), outcome: null });
        if (c) back += 1;
        else replaced += 1;
      }
    }
    if (back !== counts.redriven || replaced !== counts.superseded)
      fail(`I8 redrive answered ${JSON.stringify(counts)}, not ${back}, ${replaced}`);
  }

  function hasSuccessor(name: string, e: Entry): boolean {
    return entries(name).some(
      (x) =>
        x.kind !== 'reset' &&
        orderOf(x) > orderOf(e) &&
        !WITHOUT_EFFECT.has(x.outcome ?? '') &&
        x.outcome !== 'redriven' &&
        isAbsolute(x),
    );
  }

  return {
    names,
    parts,
    targetOf,
    lawOf,
    record: before,
    async submit(ref: PartRef, after: number, rows: readonly SubmitRow[]) {
      const { answer, next } = await call(`submit ${ref.id} ${JSON.stringify(rows.map((r) => r.operation))}`, () =>
        ledger.submit(ref, after, rows),
      );
      if (answer.status === 'taken') await acceptRows(ref, rows, answer, next);
      adopt(next);
      return answer;
    },
    async cancel(id: string) {
      const { answer, next } = await call(`cancel ${id}`, () => ledger.cancel(id));
      matchEnded(names, next, []);
      adopt(next);
      cancelled.add(id);
      return answer;
    },
    async cancelSome() {
      const { answer, next } = await call('cancelSome', () => ledger.cancelSome());
      // The order of buckets is not the checker's: a cancel has only one outcome.
      matchEnded(names, next, answer.ended);
      adopt(next);
      return answer.left;
    },
    async claim(claimed: readonly string[], token: string, permits: { grant: number; revoke: number; list: number }) {
      const tv = new Map(names.map((n) => [n, before(n).armedVersion]));
      const { answer, next } = await call(`claim ${claimed} ${token}`, () =>
        ledger.claim(script, claimed, token, permits),
      );
      matchEnded(claimed, next, answer.ended);
      for (const name of claimed) {
        const poisoned = entries(name).filter(
          (e) => e.outcome === 'failed' && before(name).chain.some((c) => c.version === e.v),
        );
        if (poisoned.length > 0) reset(name, tv.get(name) ?? 0, '?');
      }
      adopt(next);
      for (const key of answer.keys) checkArmed(key.name, key);
      return answer.keys;
    },
    async fix(name: string, token: string, version: number, read: State, readAt: number) {
      const { answer, next } = await call(`fix ${name} ${token} ${read}`, () =>
        ledger.fix(script, name, token, version, stateFor(read), readAt),
      );
      learned(name, next);
      adopt(next);
      checkArmed(name, answer);
      return answer;
    },
    async verified(name: string, token: string, read: State, readAt: number) {
      const { answer, next } = await call(`verified ${name} ${token} ${read}`, () =>
        ledger.verified(script, name, token, stateFor(read), readAt),
      );
      learned(name, next);
      adopt(next);
      checkArmed(name, answer);
      return answer;
    },
    async final(name: string, token: string, target: State, read: State, readAt: number) {
      const tv = before(name).armedVersion;
      const { answer, next } = await call(`final ${name} ${token} ${target} ${read}`, () =>
        ledger.final(script, name, token, stateFor(target), stateFor(read), readAt, 'timeout'),
      );
      matchEnded([name], next, answer.ended);
      if (answer.ended.some((e) => e.outcome === 'failed')) reset(name, tv, read);
      learned(name, next);
      adopt(next);
      return answer;
    },
    async settle(settlement: Settlement) {
      const { answer, next } = await call(`settle ${JSON.stringify(settlement)}`, () => ledger.settle([settlement]));
      const settled = answer[0] ?? fail('settle answered nothing');
      for (const v of goneFrom(settlement.name, next)) {
        if (v > settlement.carried)
          fail(`I1 ${settlement.name} v${v}: ended by a write that carried v${settlement.carried}`);
      }
      matchEnded([settlement.name], next, settled.ended);
      learned(settlement.name, next);
      adopt(next);
      return settled;
    },
    async redrive(id: string) {
      const { answer, next } = await call(`redrive ${id}`, () => ledger.redrivePart(id));
      // A cancelled part starts nothing again.
      if (!cancelled.has(id)) redriven(id, next, answer);
      adopt(next);
      return answer;
    },
    /** Any call that may not end an operation. */
    async plain<T>(what: string, run: () => Promise<T>): Promise<T> {
      const { answer, next } = await call(what, run);
      matchEnded(names, next, []);
      adopt(next);
      return answer;
    },
    /** I8: the counters of every part against the chains and against the checker's own count. */
    async checkCounts() {
      const found = await ledger.readParts([...parts.keys()]);
      for (const [i, [id, model]] of [...parts].entries()) {
        const part = found[i] ?? fail(`I8 part ${id} is gone`);
        const pending = names.flatMap((n) => before(n).chain).filter((c) => c.part === model.number).length;
        if (part.pending !== pending) fail(`I8 part ${id}: pending ${part.pending}, ${pending} in chains`);
        if (part.total !== model.total) fail(`I8 part ${id}: total ${part.total}, ${model.total} rows accepted`);
        for (const [outcome, n] of Object.entries(part.outcomes)) {
          if (n !== (model.outcomes.get(outcome) ?? 0))
            fail(`I8 part ${id}: ${n} ${outcome}, not ${model.outcomes.get(outcome) ?? 0}`);
        }
      }
    },
  };
}

function sameOperation(a: Entry, b: Entry): boolean {
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
