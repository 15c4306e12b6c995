import { LANES, type Lane, type Operation } from '@pinegate/access';
import type { Redis } from '@pinegate/runtime';
import { randomNamespace } from '@pinegate/testing';
import { openLedger, type PartRef, type SubmitRow } from '../src/index.ts';
import { type Checker, createChecker, Violation } from './history/checker.ts';
import { createEventLoop, type EventLoop, type Task } from './history/event-loop.ts';
import { createUpstream, type Switches, type Upstream, type User } from './history/upstream.ts';
import { createWorkerTasks, FAILED, type Worker } from './history/worker.ts';
import { type State, shown } from './law.ts';
import { poisonedBy } from './sabotage.ts';
import { CLOCK, START } from './simulated-clock.ts';

const UNIT = 200;
const DEADLINE = 10 * UNIT;
const LATE = 40 * UNIT;
const LEASE = 30 * UNIT;
const LOCK = 50 * UNIT;
const VERIFY_DELAY = 60 * UNIT;
const HORIZON = 900 * UNIT;
const AFTERWARDS = 1_500 * UNIT;
const DAY = 86_400_000;
const SCRIPT = 1;

export interface HistoryOptions {
  /** Rules that the caller drops. */
  readonly dropped?: ReadonlySet<string>;
  /** Texts of Lua files without a rule. */
  readonly replace?: Readonly<Record<string, string>>;
  readonly trace?: (text: string) => void;
}

interface Job {
  readonly id: string;
  readonly lane: Lane;
  active: { worker: Worker; lock: number } | null;
}

/** Runs one random history of the ledger; resolves to what was wrong with it, or null. The same seed is the same history. */
export async function runHistory(redis: Redis, seed: number, options: HistoryOptions = {}): Promise<string | null> {
  const loop = createEventLoop(seed, START);
  const ns = randomNamespace();
  const clockKey = `{${ns}:a}:clock`;
  const maxTries = loop.pick([2, 3, 5]);
  const times = { verifyDelayMs: VERIFY_DELAY, leaseMs: LEASE, freshMs: 1_200 * UNIT, retentionMs: 10 * DAY, maxTries };
  const claim = poisonedBy(loop.pick([2, 3, 5]), options.replace?.claim);
  const ledger = openLedger({ redis, ns, times, replace: { clock: CLOCK, ...options.replace, claim } }).account('a');
  const switches: Switches = {
    expiredListed: loop.random() < 0.7,
    removeAbsent: loop.pick(['not_exists', '422', 'ok']),
    modifyToLife: loop.random() < 0.7,
    strictSpelling: loop.random() < 0.5,
  };
  const users = createUsers(loop);
  const dropped = options.dropped ?? new Set<string>();
  const chaos = { on: true };
  const faults = loop.pick([0.3, 0.3, 0.6]);
  const upstream = createUpstream({
    loop,
    unit: UNIT,
    deadline: DEADLINE,
    late: LATE,
    switches,
    users,
    faults: () => (chaos.on ? faults : 0),
  });
  const trace = (text: string) => options.trace?.(`${loop.now() - START} ${text}`);
  const initial = new Map([...users].map(([name, u]) => [name, u.state]));
  const exists = (name: string) => users.get(name)?.exists === true;
  const checker = createChecker({ loop, redis, clockKey, ledger, script: SCRIPT, initial, exists, dropped, trace });
  const world: World = { loop, ledger, checker, upstream, switches, dropped, chaos, users, trace };

  try {
    await redis.set(clockKey, START);
    await warm(world);
    await live(world);
    await checkEnd(world, redis, `{${ns}:a}:`);
    return null;
  } catch (error) {
    if (error instanceof Violation) return `${error.message} (at ${loop.now() - START} ms)`;
    throw error;
  } finally {
    const keys = await redis.keys(`{${ns}:*`);
    if (keys.length > 0) await redis.unlink(...keys);
  }
}

interface World {
  readonly loop: EventLoop;
  readonly ledger: ReturnType<ReturnType<typeof openLedger>['account']>;
  readonly checker: Checker;
  readonly upstream: Upstream;
  readonly switches: Switches;
  readonly dropped: ReadonlySet<string>;
  readonly chaos: { on: boolean };
  readonly users: ReadonlyMap<string, User>;
  readonly trace: (text: string) => void;
}

function createUsers(loop: EventLoop): Map<string, User> {
  const users = new Map<string, User>();
  for (let i = 0, n = 1 + loop.int(3); i < n; i += 1) {
    const spelling = loop.pick(['Kate', 'bOb', 'ann']) + i;
    const exists = loop.random() > 0.1;
    const state: State = exists ? loop.pick<State>(['n', 'n', 'l', START + (2 + loop.int(90)) * DAY]) : 'n';
    users.set(spelling.toLowerCase(), { spelling, exists, state });
  }
  return users;
}

/** Has every script in Redis before the first call, so that a call and the look after it run in order. */
async function warm({ ledger }: World): Promise<void> {
  const permits = { grant: 0, revoke: 0, list: 0 };
  await ledger.readAccess(SCRIPT, ['nobody']);
  await ledger.claim(SCRIPT, ['nobody'], 'warm', permits);
  await ledger.settle([]);
  await ledger.take('grant', 'warm');
  await ledger.close('grant', 'warm', '0');
  await ledger.fix(SCRIPT, 'nobody', 'warm', 0, { state: 'none' }, 0);
  await ledger.verified(SCRIPT, 'nobody', 'warm', { state: 'none' }, 0).catch(() => null);
  await ledger.final(SCRIPT, 'nobody', 'warm', { state: 'none' }, { state: 'none' }, 0, '');
  await ledger.cancel('nothing');
  await ledger.cancelSome();
  await ledger.redrivePart('nothing');
  await ledger.sweepDue(1);
  await ledger.putBack('grant', 'warm', '0');
  await ledger.refreshPage(SCRIPT, 'warm', 0, false, []);
  await ledger.refreshAbsent(SCRIPT, 'warm', 0, false, 0);
  // One part of no rows has the number 1 in every history.
  await ledger.submit({ id: 'warm', kind: 'batch', lane: 'bulk', turn: 'warm', source: 'key' }, 0, []);
}

/** Clients, workers, sweeper, refresher and chaos, until all is quiet. */
async function live(world: World): Promise<void> {
  const { loop, chaos, checker } = world;
  const queue = createQueue(world);
  for (let i = 0; i < 7; i += 1) loop.spawn(client(world, queue, `b${i}`));
  loop.spawn(refresher(world));
  let quiet = false;
  loop.spawn(
    (async function* () {
      for (;;) {
        yield (15 + loop.int(10)) * UNIT;
        await queue.sweep();
        const still = checker.names.every(
          (n) => checker.record(n).chain.length === 0 && checker.record(n).window === 0,
        );
        quiet = !chaos.on && still && queue.isEmpty();
      }
    })(),
  );
  loop.at(START + HORIZON, () => {
    chaos.on = false;
    queue.thaw();
  });
  await loop.run(START + HORIZON + AFTERWARDS, () => quiet);
}

async function checkEnd({ checker, loop, users, ledger }: World, redis: Redis, tag: string): Promise<void> {
  for (const name of checker.names) {
    const { chain, window } = checker.record(name);
    if (chain.length > 0 || window > 0)
      throw new Violation(`I1 ${name} never settled: chain ${chain.length}, window ${window}`);
    const [is, want] = [users.get(name)?.state as State, checker.lawOf(name)].map((s) => shown(s, loop.now()));
    if (is !== want) throw new Violation(`I2 ${name}: upstream ${is}, law ${want}`);
  }
  await checker.checkCounts();
  if ((await redis.hlen(`${tag}claims`)) > 0) throw new Violation('I1 a claim is left');
  if ((await redis.hlen(`${tag}chunks`)) > 0) throw new Violation('I1 a chunk is left open');
  const { pending, waitingChunks } = await ledger.summary();
  const left = [...Object.values(pending), ...Object.values(waitingChunks)].filter((n) => n !== 0);
  if (left.length > 0) throw new Violation(`I8 lanes are not empty: ${JSON.stringify({ pending, waitingChunks })}`);
}

type Queue = ReturnType<typeof createQueue>;

/** A queue of bare bells and the workers that hear them, over a bad network. */
function createQueue(world: World) {
  const { loop, ledger, checker, chaos, dropped } = world;
  const jobs = new Map<string, Job>();
  const waiting: Job[] = [];
  const workers: Worker[] = [];
  let ids = 0;

  async function* over<T>(run: () => Promise<T>): Task<T | typeof FAILED> {
    const fault = chaos.on ? loop.random() : 1;
    let delay = loop.int(3) * UNIT;
    if (fault < 0.02) {
      yield delay;
      return FAILED;
    }
    let answer: T | typeof FAILED = FAILED;
    const execute = async () => {
      answer = await run();
    };
    loop.at(loop.now() + delay, execute);
    if (fault < 0.04) {
      yield delay + 1;
      return FAILED;
    }
    if (fault < 0.07) {
      delay += loop.int(6) * UNIT;
      loop.at(loop.now() + delay, execute);
    }
    yield delay + 1 + loop.int(2) * UNIT;
    return answer;
  }

  const { chunkTask } = createWorkerTasks({
    ...world,
    unit: UNIT,
    deadline: DEADLINE,
    lease: LEASE,
    script: SCRIPT,
    over,
    take: (lane, job) => checker.plain(`take ${lane} ${job}`, () => ledger.take(lane, job)),
    close: (lane, job, chunk) => checker.plain(`close ${lane} ${job} ${chunk}`, () => ledger.close(lane, job, chunk)),
  });

  async function* serve(worker: Worker): Task {
    for (;;) {
      const job = waiting.shift();
      if (job && jobs.has(job.id)) {
        const run = { worker, lock: loop.now() + LOCK };
        job.active = run;
        const finish = () => {
          if (job.active === run) jobs.delete(job.id);
        };
        loop.spawn(chunkTask(worker, job.lane, job.id, finish), worker);
      }
      yield (1 + loop.int(8)) * UNIT;
    }
  }

  function hire(slot: number) {
    const worker: Worker = { id: `w${slot}-${++ids}`, dead: false, frozenUntil: 0, thawedAt: -1 };
    workers[slot] = worker;
    loop.spawn(serve(worker), worker);
  }
  for (let slot = 0, n = loop.pick([3, 5]); slot < n; slot += 1) hire(slot);

  function ring(lane: Lane, reliable = false) {
    if (!reliable && chaos.on && loop.random() < 0.12) return;
    const job: Job = { id: `j${++ids}`, lane, active: null };
    jobs.set(job.id, job);
    waiting.splice(loop.int(waiting.length + 1), 0, job);
    if (loop.random() < 0.1) ring(lane, true);
  }

  function ringAll(bells: Partial<Record<Lane, number>>) {
    for (const lane of LANES) for (let n = bells[lane] ?? 0; n > 0; n -= 1) ring(lane);
  }

  async function sweep() {
    if (!dropped.has('R23')) {
      const { bells } = await checker.plain('sweepDue', () => ledger.sweepDue(10));
      ringAll(bells);
      for (const lane of LANES) {
        for (const { job, chunk } of await ledger.takenChunks(lane)) {
          if (!jobs.has(job)) await checker.plain(`putBack ${job} ${chunk}`, () => ledger.putBack(lane, job, chunk));
        }
      }
      const { waitingChunks, cancelsUnderWay } = await ledger.summary();
      if (cancelsUnderWay > 0) await checker.cancelSome();
      for (const lane of LANES) {
        const missing = waitingChunks[lane] - waiting.filter((j) => j.lane === lane && jobs.has(j.id)).length;
        for (let n = missing; n > 0; n -= 1) ring(lane);
      }
    }
    for (const job of jobs.values()) {
      const { active } = job;
      if (!active || active.lock > loop.now()) continue;
      if (!active.worker.dead && active.worker.frozenUntil <= loop.now()) continue;
      job.active = null;
      waiting.push(job);
    }
  }

  async function* harm(): Task {
    for (;;) {
      yield (20 + loop.int(60)) * UNIT;
      if (!chaos.on) return;
      const slot = loop.int(workers.length);
      const worker = workers[slot] as Worker;
      const x = loop.random();
      if (x < 0.35) {
        world.trace(`kill ${worker.id}`);
        worker.dead = true;
        loop.at(loop.now() + (5 + loop.int(30)) * UNIT, () => hire(slot));
      } else if (x < 0.65) {
        worker.frozenUntil = loop.now() + (5 + loop.int(110)) * UNIT;
        worker.thawedAt = worker.frozenUntil;
        world.trace(`freeze ${worker.id} until ${worker.frozenUntil - START}`);
      } else if (x < 0.72) {
        for (const job of waiting.splice(0)) jobs.delete(job.id);
        world.trace('the queue is emptied');
      }
    }
  }
  loop.spawn(harm());

  return {
    over,
    ringAll,
    sweep,
    isEmpty: () => jobs.size === 0,
    thaw() {
      for (const worker of workers) worker.frozenUntil = Math.min(worker.frozenUntil, loop.now());
    },
  };
}

const DURATIONS = [
  { amount: 7, unit: 'D' },
  { amount: 1, unit: 'M' },
  { amount: 3, unit: 'M' },
  { amount: 31, unit: 'D' },
  { amount: 1, unit: 'Y' },
] as const;

function randomOperation({ loop, users, switches }: World): Operation {
  const user = users.get(loop.pick([...users.keys()])) as User;
  const username = loop.random() < 0.5 ? user.spelling : user.spelling.toLowerCase();
  const grant = { action: 'grant', script: 'PUB;0', username } as const;
  const x = loop.random();
  if (x < 0.4) return { ...grant, until: { kind: 'extend', duration: loop.pick(DURATIONS) } };
  if (x < 0.65) return { action: 'revoke', script: 'PUB;0', username };
  if (x < 0.73) return { ...grant, until: { kind: 'lifetime' } };
  if (x < 0.8) return { ...grant, until: { kind: 'duration', duration: loop.pick(DURATIONS) } };
  const soon = switches.expiredListed && loop.random() < 0.3;
  const expiresAt = soon ? loop.now() + (60 + loop.int(300)) * UNIT : START + (100 + 50 * loop.int(3)) * DAY;
  return { ...grant, until: { kind: 'date', expiresAt } };
}

/** One part: chunks in order, each sent until it is taken, some sent once more; then perhaps a cancel or a redrive. */
async function* client(world: World, queue: Queue, id: string): Task {
  const { loop, checker } = world;
  const single = loop.random() < 0.4;
  const ref: PartRef = {
    id,
    kind: single ? 'single' : 'batch',
    lane: single ? 'single' : 'bulk',
    turn: loop.pick(['k1', id]),
    source: 'k1',
  };
  const chunks: SubmitRow[][] = [];
  let row = 0;
  for (let n = single ? 1 : 1 + loop.int(4); n > 0; n -= 1) {
    chunks.push(
      Array.from({ length: single ? 1 : 1 + loop.int(3) }, () => {
        row += 1 + (single ? 0 : loop.int(2));
        return { row, script: SCRIPT, operation: randomOperation(world) };
      }),
    );
  }
  if (single) for (const r of chunks[0] ?? []) Object.assign(r, { row: 1 });
  yield loop.int(HORIZON * 0.8);

  const lastOf = (i: number) => chunks[i]?.at(-1)?.row ?? 0;
  const sendChunk = (i: number) => queue.over(() => checker.submit(ref, lastOf(i - 1), chunks[i] as SubmitRow[]));
  for (let i = 0; i < chunks.length; ) {
    const answer = yield* sendChunk(i);
    yield loop.int(40) * UNIT;
    if (answer === FAILED) continue;
    if (answer.status === 'cancelled') return;
    if (answer.status === 'gap') {
      i = chunks.findIndex((_, n) => lastOf(n) > answer.watermark);
      continue;
    }
    queue.ringAll(answer.bells);
    if (loop.random() < 0.25) {
      const again = yield* sendChunk(loop.int(i + 1));
      if (again !== FAILED && again.status === 'taken') queue.ringAll(again.bells);
    }
    i += 1;
  }

  if (loop.random() < 0.3) {
    yield loop.int(80) * UNIT;
    yield* queue.over(() => checker.cancel(id));
    for (let n = loop.int(3); n > 0; n -= 1) yield* queue.over(() => checker.cancelSome());
  }
  for (let n = loop.int(3); n > 0; n -= 1) {
    yield loop.int(250) * UNIT;
    const answer = yield* queue.over(() => checker.redrive(id));
    if (answer !== FAILED) queue.ringAll(answer.bells);
  }
}

/** Complete lists, page by page, while work goes on. */
async function* refresher({ loop, ledger, checker, upstream, users, chaos }: World): Task {
  for (let n = 0; chaos.on; n += 1) {
    yield (100 + loop.int(250)) * UNIT;
    const since = loop.now();
    const seen = new Map<string, State>();
    for (const name of checker.names)
      loop.at(since + loop.int(4) * UNIT, () => void seen.set(name, upstream.listed(name)));
    yield 5 * UNIT;
    for (const [name, state] of seen) {
      if (state === 'n') continue;
      yield loop.int(4) * UNIT;
      const member = { username: users.get(name)?.spelling ?? name, expiresAt: state === 'l' ? null : state };
      await checker.plain(`refreshPage ${name} ${state}`, () =>
        ledger.refreshPage(SCRIPT, `r${n}`, since, true, [member]),
      );
    }
    yield loop.int(4) * UNIT;
    await checker.plain('refreshAbsent', () => ledger.refreshAbsent(SCRIPT, `r${n}`, since, true, 0));
  }
}
