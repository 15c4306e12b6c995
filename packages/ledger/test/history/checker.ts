import type { AccessState } from '@pinegate/access';
import type { Redis } from '@pinegate/runtime';
import type {
  AccountLedger,
  Claimed,
  Contributor,
  EndedOperation,
  PartRef,
  Settled,
  Settlement,
  SubmitRow,
} from '../../src/index.ts';
import { foldEntries, type State, shown } from '../law.ts';
import { entryFrom, stateFor, stateOf } from './entries.ts';
import type { EventLoop } from './event-loop.ts';
import { createModel, fail, goneFrom, NOTHING, type Records, type Seen } from './model.ts';

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
  const model = createModel(initial, exists);
  const { names, entries, endEntry } = model;
  const cancelled = new Set<string>();
  let records: Records = new Map(names.map((n) => [n, NOTHING]));
  const before = (name: string) => records.get(name) as Seen;

  /** What the caller computes from an answer: the ledger's contributors folded by the checker's own fold. */
  function targetOf(base: AccessState, chain: readonly Contributor[]): State {
    const now = dropped.has('R2') ? loop.now() : null;
    return foldEntries(
      stateOf(base),
      chain.map((c) => entryFrom(c, now)),
    );
  }

  async function call<T>(what: string, run: () => Promise<T>): Promise<{ answer: T; next: Records }> {
    // Three commands of one connection: they run in this order.
    const clock = redis.set(clockKey, loop.now());
    const [answer, found] = await Promise.all([run(), ledger.readAccess(script, names), clock]);
    trace(`${what} -> ${JSON.stringify(answer)}`);
    return { answer, next: new Map(names.map((n, i) => [n, found[i] ?? NOTHING])) };
  }

  /** What left the chains against the outcomes that were answered: keys in order, oldest first. */
  function matchEnded(order: readonly string[], next: Records, ended: readonly EndedOperation[]) {
    const gone = order.flatMap((name) => goneFrom(name, records, next).map((v) => ({ name, v })));
    if (gone.length !== ended.length)
      fail(`I8 ${gone.length} left their chains, ${ended.length} outcomes were answered`);
    gone.forEach(({ name, v }, i) => {
      endEntry(name, v, ended[i]?.outcome ?? '');
    });
  }

  async function unchangedOf(id: string): Promise<number> {
    const [part] = await ledger.readParts([id]);
    return part?.outcomes.unchanged ?? 0;
  }

  function adopt(next: Records) {
    for (const name of names) {
      const known = new Set(entries(name).map((e) => e.v));
      for (const c of next.get(name)?.chain ?? []) {
        if (!known.has(c.version)) fail(`I8 ${name} v${c.version}: in the chain, never accepted`);
      }
    }
    records = next;
  }

  function checkArmed(name: string, work: Claimed | Settled) {
    if (work.need !== 'write') return;
    const target = targetOf(work.base, work.chain);
    const want = model.lawOf(name);
    if (shown(target, loop.now()) !== shown(want, loop.now()))
      fail(`I3 ${name} v${work.version}: target ${target}, law ${want}`);
  }

  return {
    names,
    targetOf,
    lawOf: model.lawOf,
    record: before,
    async submit(ref: PartRef, after: number, rows: readonly SubmitRow[]) {
      const { answer, next } = await call(`submit ${ref.id} ${JSON.stringify(rows.map((r) => r.operation))}`, () =>
        ledger.submit(ref, after, rows),
      );
      if (answer.status === 'taken')
        await model.acceptRows(ref, rows, answer, records, next, () => unchangedOf(ref.id));
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
        if (poisoned.length > 0) model.reset(name, tv.get(name) ?? 0, '?');
      }
      adopt(next);
      for (const key of answer.keys) checkArmed(key.name, key);
      return answer.keys;
    },
    async fix(name: string, token: string, version: number, read: State, readAt: number) {
      const { answer, next } = await call(`fix ${name} ${token} ${read}`, () =>
        ledger.fix(script, name, token, version, stateFor(read), readAt),
      );
      model.learned(name, records, next);
      adopt(next);
      checkArmed(name, answer);
      return answer;
    },
    async verified(name: string, token: string, read: State, readAt: number) {
      const { answer, next } = await call(`verified ${name} ${token} ${read}`, () =>
        ledger.verified(script, name, token, stateFor(read), readAt),
      );
      model.learned(name, records, next);
      adopt(next);
      checkArmed(name, answer);
      return answer;
    },
    async final(name: string, token: string, target: State, read: State, readAt: number) {
      const tv = before(name).armedVersion;
      const { answer, next } = await call(`final ${name} ${token} ${target} ${read}`, () =>
        ledger.final(script, name, token, stateFor(target), stateFor(read), readAt),
      );
      matchEnded([name], next, answer.ended);
      if (answer.ended.some((e) => e.outcome === 'failed')) model.reset(name, tv, read);
      model.learned(name, records, next);
      adopt(next);
      return answer;
    },
    async settle(settlement: Settlement) {
      const { answer, next } = await call(`settle ${JSON.stringify(settlement)}`, () => ledger.settle([settlement]));
      const settled = answer[0] ?? fail('settle answered nothing');
      for (const v of goneFrom(settlement.name, records, next)) {
        if (v > settlement.carried)
          fail(`I1 ${settlement.name} v${v}: ended by a write that carried v${settlement.carried}`);
      }
      matchEnded([settlement.name], next, settled.ended);
      model.learned(settlement.name, records, next);
      adopt(next);
      return settled;
    },
    async redrive(id: string) {
      const { answer, next } = await call(`redrive ${id}`, () => ledger.redrivePart(id));
      // A cancelled part starts nothing again.
      if (!cancelled.has(id)) model.redriven(id, records, next, answer);
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
      const found = await ledger.readParts([...model.parts.keys()]);
      for (const [i, [id, counted]] of [...model.parts].entries()) {
        const part = found[i] ?? fail(`I8 part ${id} is gone`);
        const pending = names.flatMap((n) => before(n).chain).filter((c) => c.part === counted.number).length;
        if (part.pending !== pending) fail(`I8 part ${id}: pending ${part.pending}, ${pending} in chains`);
        if (part.total !== counted.total) fail(`I8 part ${id}: total ${part.total}, ${counted.total} rows accepted`);
        for (const [outcome, n] of Object.entries(part.outcomes)) {
          if (n !== (counted.outcomes.get(outcome) ?? 0))
            fail(`I8 part ${id}: ${n} ${outcome}, not ${counted.outcomes.get(outcome) ?? 0}`);
        }
      }
    },
  };
}
