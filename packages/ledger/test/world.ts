import type { Redis } from '@pinegate/runtime';
import { randomNamespace } from '@pinegate/testing';
import { openLedger } from '../src/index.ts';
import { createChecker } from './history/checker.ts';
import { client, refresher } from './history/client.ts';
import { createEventLoop, type EventLoop } from './history/event-loop.ts';
import { Violation } from './history/model.ts';
import { createQueue } from './history/queue.ts';
import { AFTERWARDS, DAY, DEADLINE, HORIZON, LATE, LEASE, SCRIPT, UNIT, VERIFY_DELAY } from './history/scale.ts';
import { createUpstream, type Switches, type User } from './history/upstream.ts';
import type { World } from './history/world-parts.ts';
import { type State, shown } from './law.ts';
import { poisonedBy } from './sabotage.ts';
import { CLOCK, START } from './simulated-clock.ts';

export interface HistoryOptions {
  /** Rules that the caller drops. */
  readonly dropped?: ReadonlySet<string>;
  /** Texts of Lua files without a rule. */
  readonly replace?: Readonly<Record<string, string>>;
  readonly trace?: (text: string) => void;
}

const AT_ONCE = 6;

/** Runs histories of `count` seeds, several at a time; resolves to those that went wrong, by seed. */
export async function runHistories(
  redis: Redis,
  from: number,
  count: number,
  options: HistoryOptions = {},
): Promise<string[]> {
  const wrong = new Map<number, string>();
  let next = from;
  const runner = async () => {
    while (next < from + count) {
      const seed = next++;
      const found = await runHistory(redis, seed, options);
      if (found !== null) wrong.set(seed, found);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runner));
  return [...wrong].sort(([a], [b]) => a - b).map(([seed, text]) => `seed ${seed}: ${text}`);
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
  await ledger.final(SCRIPT, 'nobody', 'warm', { state: 'none' }, { state: 'none' }, 0);
  await ledger.cancel('nothing');
  await ledger.cancelSome();
  await ledger.redrivePart('nothing');
  await ledger.sweepDue(1);
  await ledger.putBack('grant', 'warm', '0');
  await ledger.refreshes.page(SCRIPT, 'warm', 0, false, []);
  await ledger.refreshes.absent(SCRIPT, 'warm', 0, false, 0);
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
