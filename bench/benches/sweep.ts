import { randomBytes } from 'node:crypto';
import { type AccountLedger, createEpochGuard, openDirectory, openEpochs, openLedger } from '@pinegate/ledger';
import { createBells } from '@pinegate/queues';
import { closeRedis, openRedis, type Redis, redisReady } from '@pinegate/runtime';
import { startTestRedis } from '@pinegate/testing';
import { buildSweeper } from '../../apps/worker/src/build-sweeper.ts';
import type { WorkerEvents } from '../../apps/worker/src/worker-events.ts';
import type { Bench, BenchInput } from '../harness/bench.ts';
import { median, quantile } from '../harness/median.ts';

/**
 * What the leader's sweep costs a tick of one second, at rest and with many keys: commands sent, time on Redis' one processor, time until the
 * tick was over. The worst case of `swept each tick` is an account that is marked due every second.
 */
const SCRIPT = `PUB;${'0'.repeat(32)}`;
const NS = 'sweep-bench';
const DAY_MS = 86_400_000;
const ROWS_AT_ONCE = 1_000;
const TICKS = 40;
const IDLE_ACCOUNTS = 20;

export const bench: Bench = {
  summary: "cost of the leader's sweep at rest and with many keys",
  options: { keys: { type: 'string' }, due: { type: 'string' } },
  smoke: { keys: '2000', due: '500' },
  maxMs: () => 40 * 60_000,
  async run(input) {
    const keys = Number(input.flags.keys ?? 1_000_000);
    const due = Number(input.flags.due ?? 100_000);
    const server = await startTestRedis({ appendOnly: false });
    const redis = openRedis(server.url, 'shared');
    try {
      await redisReady(redis);
      await measureAll(redis, keys, due, input);
    } finally {
      await closeRedis(redis);
      await server.close();
    }
  },
};

async function measureAll(redis: Redis, keys: number, due: number, { tell, report, signal }: BenchInput) {
  const world = await openWorld(redis);
  const told = (what: string) => (count: number) => tell(`${what}: ${count}`);
  const measure = async (what: string, before?: () => Promise<void>) => {
    signal.throwIfAborted();
    tell(what);
    report({ 'the account has': what, ...(await costOf(redis, world.tick, TICKS, before)) });
  };
  await world.tick();
  await measure(`nothing (of ${IDLE_ACCOUNTS + 1})`);

  await adopt(world.ledger, keys, told('settled'));
  await world.markDue();
  await world.tick();
  await measure(`${keys} settled`);
  await measure(`${keys} settled, swept each tick`, world.markDue);

  await submit(world.ledger, keys, told('pending'));
  const once = async (what: string) => {
    await world.markDue();
    report({ 'once, with': what, ...(await costOf(redis, world.tick, 1)) });
  };
  await once(`${keys} pending and no bell in the queues`);
  await measure(`${keys} pending`);
  await measure(`${keys} pending, swept each tick`, world.markDue);

  await failFor(world.ledger, due, told('due'));
  await once(`${due} of them due at once, the first tick`);
}

async function openWorld(redis: Redis) {
  const directory = openDirectory({ redis, ns: NS, secretKey: randomBytes(32), retentionMs: DAY_MS });
  const events = { swept() {}, ended() {}, emptied() {}, restored() {} } as unknown as WorkerEvents;
  const epochs = openEpochs({ redis, ns: NS });
  const epoch = createEpochGuard({ epochs, accounts: directory.accounts, events });
  await epoch.look();
  const times = { verifyDelayMs: 45_000, leaseMs: 20_000, freshMs: DAY_MS, retentionMs: DAY_MS, maxTries: 5 };
  const ledgers = openLedger({ redis, ns: NS, times, epoch });
  const limit = { start: null, min: 0.5, max: 1_000, adaptive: true };
  const budgets = { grant: limit, revoke: limit, list: limit, lookup: limit };
  for (let n = 0; n <= IDLE_ACCOUNTS; n++) {
    const id = n === 0 ? 'full' : `idle-${n}`;
    const scripts = [`PUB;${n.toString(16).padStart(32, '0')}`];
    await directory.accounts.put(id, { scripts, budgets, maxInFlight: 200 });
    const posted = await directory.sessions.put(id, { sessionid: 'none', sessionidSign: null });
    if (posted) await directory.accounts.setSession(id, 'ok', posted.session.postedAt ?? 0);
  }
  let now = 0;
  const bells = createBells({ redis, ns: NS });
  const tick = buildSweeper({ directory, ledger: ledgers, epoch, bells, events, monotonic: () => now });
  return {
    ledger: ledgers.account('full'),
    markDue: () => directory.due.mark('full', 1),
    async tick() {
      now += 1_000;
      await tick();
    },
  };
}

/** Commands, ms of Redis' processor and ms of waiting, of one tick. */
async function costOf(redis: Redis, tick: () => Promise<void>, ticks: number, before?: () => Promise<void>) {
  let commands = 0;
  let busy = 0;
  const waits: number[] = [];
  for (let n = 0; n < ticks; n++) {
    await before?.();
    const from = await cpuMsOf(redis);
    const send = redis.sendCommand;
    redis.sendCommand = function (...args) {
      commands += 1;
      return send.apply(this, args);
    };
    const startedAt = performance.now();
    await tick();
    waits.push(performance.now() - startedAt);
    redis.sendCommand = send;
    busy += (await cpuMsOf(redis)) - from;
  }
  return {
    'commands/tick': commands / ticks,
    'ms of Redis/tick': busy / ticks,
    'ms, median': median(waits),
    'ms, worst': quantile(waits, 1),
  };
}

/** Processor time of Redis so far. */
async function cpuMsOf(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const seconds = (name: string) => Number(new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? Number.NaN);
  return 1_000 * (seconds('used_cpu_user') + seconds('used_cpu_sys'));
}

const nameOf = (n: number) => `member_${n}`;

/** As a refresh in mode adopt takes a member list as known: keys that are settled. */
async function adopt(ledger: AccountLedger, count: number, tell: (done: number) => void): Promise<void> {
  const since = (await ledger.now()) + 1;
  for (let from = 0; from < count; from += ROWS_AT_ONCE) {
    const members = rowsOf(from, count).map((n) => ({ username: nameOf(n), expiresAt: null }));
    await ledger.refreshes.page(1, 'bench', since, true, members);
    if (from % 100_000 === 0) tell(from);
  }
}

async function submit(ledger: AccountLedger, count: number, tell: (done: number) => void): Promise<void> {
  const part = { id: 'batch', kind: 'batch', lane: 'bulk', turn: 'batch', source: 'k' } as const;
  for (let from = 0; from < count; from += ROWS_AT_ONCE) {
    const rows = rowsOf(from, count).map((n) => ({ row: n + 1, script: 1, operation: revoke(nameOf(n)) }));
    await ledger.submit(part, from, rows);
    if (from % 100_000 === 0) tell(from);
  }
}

/** Takes so many keys, and settles them as uncertain, to be tried again at once. */
async function failFor(ledger: AccountLedger, count: number, tell: (done: number) => void): Promise<void> {
  const permits = { grant: 50, revoke: 50, list: 50 };
  for (let done = 0, job = 0; done < count; job++) {
    const chunk = await ledger.take('revoke-bulk', `job-${job}`);
    if (!chunk) return;
    const { keys } = await ledger.claim(chunk.script, chunk.names, `token-${job}`, permits);
    const failed = keys.flatMap((key) => (key.need === 'write' ? [key] : []));
    await ledger.settle(
      failed.map(({ name, version }) => ({
        script: chunk.script,
        name,
        token: `token-${job}`,
        carried: version,
        sent: true,
        result: 'uncertain',
        code: 'TIMEOUT',
        retryMs: 0,
        spend: true,
      })),
    );
    await ledger.close('revoke-bulk', `job-${job}`, chunk.id);
    if (failed.length === 0) throw new Error(`nothing was claimed ${JSON.stringify(keys[0])}`);
    done += failed.length;
    if (job % 500 === 0) tell(done);
  }
}

function rowsOf(from: number, count: number): number[] {
  return Array.from({ length: Math.min(ROWS_AT_ONCE, count - from) }, (_, i) => from + i);
}

function revoke(username: string) {
  return { action: 'revoke', script: SCRIPT, username } as const;
}
