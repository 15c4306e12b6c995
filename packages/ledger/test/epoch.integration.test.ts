import { randomBytes } from 'node:crypto';
import { closeRedis, openRedis, type Redis } from '@pinegate/runtime';
import { randomNamespace } from '@pinegate/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import {
  createEpochGuard,
  type Directory,
  type EpochGuard,
  openDirectory,
  openEpochs,
  openLedger,
} from '../src/index.ts';

const SCRIPT = `PUB;${'a'.repeat(32)}`;
const BUDGET = { start: 5, min: 0.5, max: 1_000, adaptive: true };
const CONFIG = {
  scripts: [SCRIPT],
  budgets: { grant: BUDGET, revoke: BUDGET, list: BUDGET, lookup: BUDGET },
  maxInFlight: 24,
};
const TIMES = { verifyDelayMs: 1_000, leaseMs: 20_000, freshMs: 3_600_000, retentionMs: 3_600_000, maxTries: 5 };
const PERMITS = { grant: 50, revoke: 50, list: 50 };
const PART = { id: 'o1', kind: 'single', lane: 'single', turn: 'k', source: 'k' } as const;

let redis: Redis;
let ns: string;
let directory: Directory;

beforeAll(() => {
  redis = openRedis(inject('redisUrl'), 'shared');
});
afterAll(() => closeRedis(redis));
beforeEach(async () => {
  ns = randomNamespace();
  directory = openDirectory({ redis, ns, secretKey: randomBytes(32), retentionMs: 60_000 });
  await directory.accounts.put('a', CONFIG);
  await directory.accounts.put('b', { ...CONFIG, scripts: [] });
  await directory.sessions.put('a', { sessionid: 'x', sessionidSign: null });
  await directory.accounts.setState('a', 'active', null);
});

/** One process: its guard, its ledger, and what its guard told. */
async function startProcess() {
  const told: string[] = [];
  const epochs = openEpochs({ redis, ns });
  const epoch = createEpochGuard({
    epochs,
    accounts: directory.accounts,
    events: { emptied: () => told.push('emptied'), restored: (account) => told.push(`restored ${account}`) },
  });
  await epoch.look();
  const ledger = openLedger({ redis, ns, times: TIMES, epoch }).account('a');
  const submit = (id: string = PART.id) =>
    ledger.submit({ ...PART, id }, 0, [
      { row: 1, script: 1, operation: { action: 'revoke', script: SCRIPT, username: 'zoe' } },
    ]);
  let token = 0;
  const claim = () => ledger.claim(1, ['zoe'], `t${token++}`, PERMITS);
  return { told, epochs, epoch, ledger, submit, claim };
}

type Saved = Map<string, Buffer>;

async function keysOf(tag: string): Promise<string[]> {
  return (await redis.keys(`{${ns}*`)).filter((key) => key.startsWith(tag));
}
async function dump(tag: string): Promise<Saved> {
  const saved: Saved = new Map();
  for (const key of await keysOf(tag)) saved.set(key, (await redis.dumpBuffer(key)) as Buffer);
  return saved;
}
async function empty(tag: string): Promise<void> {
  const keys = await keysOf(tag);
  if (keys.length > 0) await redis.del(...keys);
}
async function restore(tag: string, saved: Saved): Promise<void> {
  await empty(tag);
  for (const [key, value] of saved) await redis.restore(key, 0, value);
}
const all = () => `{${ns}`;
const tagA = () => `{${ns}:a}:`;
const stateOf = async (id: string) => {
  const account = await directory.accounts.get(id);
  return [account?.state, account?.reason];
};
/** The leader's beat, as if it were so many ms later than the time of Redis. */
async function beatLater(epochs: ReturnType<typeof openEpochs>, epoch: EpochGuard, ms: number): Promise<void> {
  const now = (await epochs.read())?.now ?? 0;
  const id = epoch.current() ?? '';
  for (const account of ['a', 'b', null]) await epochs.beat(account, id, now + ms);
  await epoch.look();
}

describe('an emptied Redis', () => {
  test('arms no write, takes nothing and is told once', async () => {
    const { epoch, submit, claim, told } = await startProcess();
    await submit();
    await empty(all());
    await expect(claim()).rejects.toMatchObject({ reply: 'EPOCH' });
    await epoch.suspect('a');
    await epoch.look();
    expect(told).toEqual(['emptied']);
    expect(epoch.isHalted()).toBe(true);
    await expect(claim()).rejects.toMatchObject({ reply: 'EPOCH' });
    await expect(submit()).rejects.toMatchObject({ reply: 'EPOCH' });
  });

  test('goes on by itself when what it held is back', async () => {
    const { epoch, submit, claim } = await startProcess();
    await submit();
    const saved = await dump(all());
    await empty(all());
    expect(await epoch.look()).toBe(false);
    await restore(all(), saved);
    expect(await epoch.look()).toBe(true);
    expect((await claim()).keys).toMatchObject([{ need: 'write' }]);
  });

  test('is a new installation for a process that knew nothing', async () => {
    const { epoch, told } = await startProcess();
    await empty(all());
    expect(await epoch.look()).toBe(false);
    const fresh = await startProcess();
    expect(fresh.told).toEqual([]);
    expect(await epoch.look()).toBe(true);
    expect(epoch.current()).toBe(fresh.epoch.current());
    expect(told).toEqual(['emptied', 'restored null']);
  });
});

describe('an older state of all', () => {
  test('pauses every account under a new epoch, once, however many notice', async () => {
    const one = await startProcess();
    const two = await startProcess();
    await one.submit();
    const saved = await dump(all());
    for (const { epochs, epoch } of [one, two]) await beatLater(epochs, epoch, 11_000);
    await restore(all(), saved);
    await expect(one.claim()).rejects.toMatchObject({ reply: 'EPOCH' });
    await one.epoch.suspect('a');
    await two.epoch.look();
    expect([one.told, two.told]).toEqual([['restored null'], ['restored null']]);
    expect(one.epoch.current()).toBe(two.epoch.current());
    expect(await stateOf('a')).toEqual(['paused', 'redis_restored']);
    expect(await stateOf('b')).toEqual(['paused', 'redis_restored']);
    await expect(two.claim()).rejects.toMatchObject({ reply: 'EPOCH' });
  });

  test('is noticed also when another leader has beaten since', async () => {
    const old = await startProcess();
    const saved = await dump(all());
    await beatLater(old.epochs, old.epoch, 30_000);
    await restore(all(), saved);
    const fresh = await startProcess();
    await beatLater(fresh.epochs, fresh.epoch, 60_000);
    await old.epoch.look();
    expect(old.told).toEqual(['restored null']);
    expect(await stateOf('a')).toEqual(['paused', 'redis_restored']);
  });

  test('of an earlier epoch is not taken for a new one', async () => {
    const before = await startProcess();
    const saved = await dump(all());
    await before.epochs.renew(null);
    const { epoch, told } = await startProcess();
    await restore(all(), saved);
    await epoch.look();
    expect(told).toEqual(['restored null']);
    expect(epoch.current()).not.toBe(before.epoch.current());
    expect(await stateOf('a')).toEqual(['paused', 'redis_restored']);
  });

  test('that lost no more than a few seconds goes on', async () => {
    const { epochs, epoch, submit, claim, told } = await startProcess();
    await submit();
    const saved = await dump(all());
    await beatLater(epochs, epoch, 5_000);
    await restore(all(), saved);
    expect((await claim()).keys).toMatchObject([{ need: 'write' }]);
    await epoch.look();
    expect(told).toEqual([]);
  });
});

describe('one tag of a cluster', () => {
  test('that is older pauses its account only, also under the eyes of the leader alone', async () => {
    const { epochs, epoch, told } = await startProcess();
    const saved = await dump(tagA());
    await beatLater(epochs, epoch, 11_000);
    await restore(tagA(), saved);
    await epoch.beat(['a', 'b']);
    expect(told).toEqual(['restored a']);
    expect(await stateOf('a')).toEqual(['paused', 'redis_restored']);
    expect((await stateOf('b'))[0]).toBe('parked');
  });

  test('that is older is noticed by a process that has just started', async () => {
    const { epochs, epoch, submit } = await startProcess();
    await submit();
    const saved = await dump(tagA());
    await beatLater(epochs, epoch, 11_000);
    await restore(tagA(), saved);
    const fresh = await startProcess();
    await expect(fresh.claim()).rejects.toMatchObject({ reply: 'EPOCH' });
  });

  test('that is empty takes nothing', async () => {
    const { epoch, submit, told } = await startProcess();
    await empty(tagA());
    await expect(submit()).rejects.toMatchObject({ reply: 'EPOCH' });
    await epoch.suspect('a');
    await expect(submit()).rejects.toMatchObject({ reply: 'EPOCH' });
    expect(told).toEqual(['restored a']);
  });

  test('that was restored takes operations, which wait until it is stamped', async () => {
    const { epochs, epoch, ledger, submit, claim } = await startProcess();
    await epochs.spoil('a');
    expect((await submit()).status).toBe('taken');
    await expect(claim()).rejects.toMatchObject({ reply: 'EPOCH' });
    await ledger.refreshes.page(1, 'r', 0, true, [{ username: 'max', expiresAt: null }]);
    await ledger.refreshes.absent(1, 'r', 0, true, 0);
    expect((await epochs.readAccount('a'))?.refreshed.get(1)?.epoch).toBe(epoch.current());
    await epochs.stamp('a', await epochs.begin(), null);
    expect((await claim()).keys).toMatchObject([{ need: 'write' }]);
  });
});

test('what was known before a restore is not believed after it', async () => {
  const { epochs, ledger, submit, claim } = await startProcess();
  await submit();
  const { keys } = await claim();
  const [work] = keys;
  if (work?.need !== 'write') throw new Error('nothing to write');
  const common = { script: 1, name: 'zoe', token: 't0', carried: work.version, sent: true } as const;
  await ledger.settle([{ ...common, result: 'applied', target: { state: 'none' }, outcome: 'revoked' }]);
  await submit('o2');
  expect((await ledger.readParts(['o2']))[0]?.outcomes.unchanged).toBe(1);
  // The clock of Redis may stand still between the two.
  await expect
    .poll(async () => {
      await epochs.stamp('a', await epochs.begin(), null);
      const id = randomBytes(4).toString('hex');
      await submit(id);
      return (await ledger.readParts([id]))[0]?.pending;
    })
    .toBe(1);
});
