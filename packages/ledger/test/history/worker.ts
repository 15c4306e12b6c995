import type { Lane } from '@pinegate/access';
import type { CallBudget, Chunk, Claimed, ClaimedWork, Settled, Settlement } from '../../src/index.ts';
import { type State, shown } from '../law.ts';
import type { Checker } from './checker.ts';
import { stateFor, stateOf } from './entries.ts';
import type { EventLoop, Owner, Task } from './event-loop.ts';
import { Violation } from './model.ts';
import type { Answer, Call, Switches, Upstream } from './upstream.ts';

/** A call of the ledger that failed: nobody knows whether it ran. */
export const FAILED = Symbol('failed');

export interface Worker extends Owner {
  readonly id: string;
  /** When it was last thawed. */
  thawedAt: number;
}

export interface WorkerContext {
  readonly loop: EventLoop;
  readonly unit: number;
  readonly deadline: number;
  readonly lease: number;
  readonly script: number;
  readonly checker: Checker;
  readonly upstream: Upstream;
  readonly switches: Switches;
  /** Rules that this caller does not keep. */
  readonly dropped: ReadonlySet<string>;
  readonly take: (lane: Lane, job: string) => Promise<Chunk | null>;
  readonly close: (lane: Lane, job: string, chunk: string) => Promise<void>;
  /** A call of the ledger over a bad network: not run, run with its answer lost, run twice. */
  readonly over: <T>(run: () => Promise<T>) => Task<T | typeof FAILED>;
}

type Work = Claimed & ClaimedWork & { need: 'write' | 'base' | 'final' | 'verify' };

/** Writes on the wire, to see that no two live workers write one key at a time (I4). */
interface OnTheWire {
  readonly worker: Worker;
  readonly token: string;
  readonly sentAt: number;
}

/** The worker of protocol.md as a small machine of its own, apart from the real one. */
export function createWorkerTasks(ctx: WorkerContext) {
  const { loop, unit, checker, upstream, dropped } = ctx;
  const wire = new Map<string, OnTheWire[]>();
  let tokens = 0;

  async function* chunkTask(worker: Worker, lane: Lane, job: string, finish: () => void): Task {
    const chunk = yield* ctx.over(() => ctx.take(lane, job));
    if (chunk === FAILED || chunk === null) return finish();
    let left = chunk.names.length;
    let open = false;
    const done = (keep: boolean) => {
      open ||= keep;
      left -= 1;
      if (left === 0) loop.spawn(end(), worker);
    };
    async function* end(): Task {
      finish();
      if (!open || dropped.has('R31')) yield* ctx.over(() => ctx.close(lane, job, (chunk as Chunk).id));
    }
    yield* claimTask(worker, chunk.names, done);
  }

  /** Claims until no key needs another permit. */
  async function* claimTask(worker: Worker, names: readonly string[], done: (keep: boolean) => void): Task {
    let permits: Record<CallBudget, number> = { grant: loop.int(3), revoke: loop.int(3), list: loop.int(3) };
    for (let rest = names; rest.length > 0; ) {
      const token = `${worker.id}.${++tokens}`;
      const leaseEnd = loop.now() + ctx.lease;
      const keys = yield* ctx.over(() => checker.claim(rest, token, permits));
      if (keys === FAILED) {
        for (const _ of rest) done(true);
        return;
      }
      for (const key of keys)
        if (key.need !== 'permit') loop.spawn(keyTask(worker, token, leaseEnd, key, done), worker);
      rest = keys.filter((k) => k.need === 'permit').map((k) => k.name);
      if (rest.length > 0 && loop.random() < 0.1) {
        for (const _ of rest) done(true);
        return;
      }
      permits = { grant: 9, revoke: 9, list: 9 };
      yield loop.int(6) * unit;
    }
  }

  async function* keyTask(
    worker: Worker,
    token: string,
    leaseEnd: number,
    claimed: Claimed,
    done: (keep: boolean) => void,
  ): Task {
    let step: Claimed | Settled = claimed;
    const { name } = claimed;
    for (;;) {
      let next: Claimed | Settled | typeof FAILED;
      if (step.need === 'write') next = yield* write(worker, name, token, leaseEnd, step as Work);
      else if (step.need === 'base' || step.need === 'final' || step.need === 'verify')
        next = yield* read(name, token, step as Work);
      else if (step.need === 'again') return yield* claimTask(worker, [name], done);
      else return done(false);
      if (next === FAILED) return done(true);
      step = next;
    }
  }

  async function* read(name: string, token: string, work: Work): Task<Claimed | Settled | typeof FAILED> {
    const readAt = loop.now();
    const seen = yield* upstream.read(name);
    if (seen === 'failed') {
      const failed = {
        ...common(name, token, work, false),
        result: 'unapplied',
        code: 'down',
        retryMs: backoff(),
      } as const;
      return yield* ctx.over(() => checker.settle(failed));
    }
    if (work.need === 'verify') return yield* ctx.over(() => checker.verified(name, token, seen, readAt));
    if (work.need === 'final') {
      const target = checker.targetOf(
        work.base,
        work.chain.filter((c) => c.version <= work.armedVersion),
      );
      return yield* ctx.over(() => checker.final(name, token, shown(target, loop.now()), seen, readAt));
    }
    const fixed = yield* ctx.over(() => checker.fix(name, token, work.version, seen, readAt));
    if (fixed === FAILED || fixed.need !== 'write' || !dropped.has('R4')) return fixed;
    return { ...fixed, chain: work.chain };
  }

  const common = (name: string, token: string, work: Work, sent: boolean) => ({
    script: ctx.script,
    name,
    token,
    carried: work.version,
    sent,
  });
  const backoff = () => (3 + loop.int(15)) * unit;

  async function* write(
    worker: Worker,
    name: string,
    token: string,
    leaseEnd: number,
    work: Work,
  ): Task<Settled | typeof FAILED> {
    const settlement = yield* converge(worker, name, token, leaseEnd, work);
    return yield* ctx.over(() => checker.settle(settlement));
  }

  /** The send rules. */
  async function* converge(
    worker: Worker,
    name: string,
    token: string,
    leaseEnd: number,
    work: Work,
  ): Task<Settlement> {
    const target = shown(checker.targetOf(work.base, work.chain), loop.now());
    const base = shown(stateOf(work.base) as State, loop.now());
    const replaces = target === 'l' && !ctx.switches.modifyToLife;
    let [spelling, canonical, lookedUp, sent, halfDone] = [work.spelling, work.spellingAccepted, false, false, false];
    const settled = () => common(name, token, work, sent);
    const applied = (outcome: 'granted' | 'changed' | 'revoked' | 'unchanged'): Settlement => {
      const proven = outcome === 'unchanged' ? {} : { spelling };
      return { ...settled(), result: 'applied', target: stateFor(target), outcome, ...proven };
    };
    const uncertain = (): Settlement => ({
      ...settled(),
      result: 'uncertain',
      code: 'timeout',
      retryMs: backoff(),
      spend: loop.random() < 0.9,
    });
    const unapplied = (): Settlement =>
      halfDone ? uncertain() : { ...settled(), result: 'unapplied', code: 'none', retryMs: backoff() };

    if (work.sure && stateOf(work.base) === target) return applied('unchanged');
    const known = dropped.has('R26') ? stateOf(work.base) : base;
    const member = work.member ?? (work.sure && known !== 'n');
    let call: Call = target === 'n' ? 'remove' : !member ? 'add' : replaces ? 'remove' : 'modify';
    for (let n = 0; n < 6; n += 1) {
      if (!dropped.has('R22') && leaseEnd - loop.now() < ctx.deadline) return unapplied();
      sent = true;
      const answer: Answer = yield* send(worker, name, token, spelling, call, target);
      if (answer === '429') return unapplied();
      if (answer === 'lost') return uncertain();
      const absent = answer === '422' || answer === 'not_exists';
      if (absent && call !== 'modify' && !canonical && !lookedUp) {
        const found = yield* upstream.lookUp(name);
        if (found === 'failed') return unapplied();
        if (found === null)
          return call === 'remove' ? applied('unchanged') : { ...settled(), result: 'rejected', code: 'no_such_user' };
        lookedUp = true;
        if (found !== spelling) {
          spelling = found;
          continue;
        }
      }
      if (call === 'remove') {
        if (target === 'n') return applied(absent ? 'unchanged' : 'revoked');
        halfDone = true;
        call = 'add';
      } else if (call === 'add') {
        if (answer === 'ok') return applied(halfDone ? 'changed' : 'granted');
        if (answer === '422') return { ...settled(), result: 'rejected', code: 'no_such_user' };
        if (dropped.has('R15')) return applied('granted');
        call = replaces ? 'remove' : 'modify';
      } else {
        if (answer === 'ok') return applied('changed');
        if (dropped.has('R16')) return { ...settled(), result: 'rejected', code: 'no_such_user' };
        call = 'add';
      }
    }
    return unapplied();
  }

  async function* send(
    worker: Worker,
    name: string,
    token: string,
    spelling: string,
    call: Call,
    state: State,
  ): Task<Answer> {
    const out = wire.get(name) ?? [];
    wire.set(name, out);
    for (const o of out) {
      const live = !o.worker.dead && o.worker.frozenUntil <= loop.now() && o.worker.thawedAt < o.sentAt;
      if (o.token !== token && live) throw new Violation(`I4 ${name}: ${o.token} and ${token} write at a time`);
    }
    const mine = { worker, token, sentAt: loop.now() };
    out.push(mine);
    // The wire is free when the request is over, whatever became of its worker.
    loop.at(loop.now() + ctx.deadline, () => void out.splice(0, out.length, ...out.filter((o) => o !== mine)));
    const answer = yield* upstream.write(name, spelling, call, state);
    out.splice(0, out.length, ...out.filter((o) => o !== mine));
    return answer;
  }

  return { chunkTask };
}
