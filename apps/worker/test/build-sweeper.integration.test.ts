import { randomBytes } from 'node:crypto';
import { type AccountLedger, type Directory, type Ledger, openDirectory, openLedger } from '@pinegate/ledger';
import { type Bells, createBells } from '@pinegate/queues';
import { closeRedis, openRedis, type Redis, redisReady } from '@pinegate/runtime';
import { createLatch, randomNamespace } from '@pinegate/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test, vi } from 'vitest';
import { buildSweeper } from '../src/build-sweeper.ts';
import { sweepAccount } from '../src/sweep-account.ts';
import type { WorkerEvents } from '../src/worker-events.ts';

const DAY = 86_400_000;
const SCRIPT = `PUB;${'a'.repeat(32)}`;
const TIMES = { verifyDelayMs: 0, leaseMs: 20_000, freshMs: DAY, retentionMs: DAY, maxTries: 5 };

let redis: Redis;
let directory: Directory;
let ledger: Ledger;
let own: AccountLedger;
let bells: Bells;
let now: number;
let tick: () => Promise<void>;

beforeAll(async () => {
  redis = openRedis(inject('redisUrl'), 'shared');
  await redisReady(redis);
});
afterAll(() => closeRedis(redis));
beforeEach(async () => {
  const ns = randomNamespace();
  directory = openDirectory({ redis, ns, secretKey: randomBytes(32), retentionMs: DAY });
  ledger = openLedger({ redis, ns, times: TIMES });
  own = ledger.account('one');
  bells = createBells({ redis, ns });
  const budget = { start: null, min: 0.5, max: 1_000, adaptive: true };
  const budgets = { grant: budget, revoke: budget, list: budget, lookup: budget };
  await directory.accounts.put('one', { scripts: [SCRIPT], budgets, maxInFlight: 24 });
  const posted = await directory.sessions.put('one', { sessionid: 'x', sessionidSign: null });
  await directory.accounts.setSession('one', 'ok', posted?.session.postedAt ?? 0);
  const part = { id: 'op', kind: 'single', lane: 'single', turn: 'k', source: 'k' } as const;
  await own.submit(part, 0, [{ row: 1, script: 1, operation: { action: 'revoke', script: SCRIPT, username: 'ann' } }]);
  const events = { swept() {}, ended() {} } as unknown as WorkerEvents;
  now = 0;
  tick = buildSweeper({ directory, ledger, epoch: { beat: async () => {} }, bells, events, monotonic: () => now });
  await tick();
});
afterEach(async () => {
  await bells.close();
  directory.close();
});

const waiting = async () => (await bells.counts('one', 'revoke')).waiting;

test('a chunk that nobody rang for is rung for, once', async () => {
  expect(await waiting()).toBe(1);
  now += 60_000;
  await tick();
  expect(await waiting()).toBe(1);
});

test('a mark that arrives while the account is swept is not lost', async () => {
  const { summary } = own;
  await directory.due.mark('one', 1);
  const marking = vi.spyOn(own, 'summary').mockImplementationOnce(async () => {
    const seen = await summary.call(own);
    // After this sweep has looked, before it says when the account is due again.
    await directory.due.mark('one', 2);
    return seen;
  });
  await tick();
  expect(marking).toHaveBeenCalled();
  expect(await directory.due.ready(2, 10)).toEqual(['one']);
});

test('a verification that a lost job has taken goes back too, though nothing is pending', async () => {
  const job = await own.take('revoke', 'a-job');
  const permits = { grant: 1, revoke: 1, list: 1 };
  const { keys } = await own.claim(1, ['ann'], 'token', permits);
  const carried = (keys[0] as { readonly version: number }).version;
  const done = { script: 1, name: 'ann', token: 'token', carried, sent: true } as const;
  const target = { state: 'none' } as const;
  await own.settle([{ ...done, result: 'applied', target, outcome: 'revoked', verify: true }]);
  await own.close('revoke', 'a-job', job?.id ?? '');
  now += 60_000;
  await tick();
  const lost = await own.take('grant-bulk', 'lost-job');
  expect(lost?.names).toEqual(['ann']);
  now += 60_000;
  await tick();
  expect(await own.takenChunks('grant-bulk')).toEqual([]);
  expect((await own.take('grant-bulk', 'next-job'))?.id).toBe(lost?.id);
});

test('a leader that was frozen while it looked takes no chunk from the job that has it since', async () => {
  const lost = await own.take('revoke', 'lost-job');
  const looked = createLatch('the old leader has looked');
  const thawed = createLatch('the old leader goes on');
  const frozen: Bells = {
    ...bells,
    async states(...asked) {
      const states = await bells.states(...asked);
      looked.open();
      await thawed.wait();
      return states;
    },
  };
  const old = sweepAccount(own, frozen);
  await looked.wait();
  now += 60_000;
  await tick();
  const again = await own.take('revoke', 'next-job');
  expect(again?.id).toBe(lost?.id);
  thawed.open();
  await old;
  expect(await own.takenChunks('revoke')).toEqual([{ job: 'next-job', chunk: lost?.id }]);
  expect((await own.summary()).waitingChunks.revoke).toBe(0);
});

test('an account that is not active is left alone, and swept when it goes on', async () => {
  await own.take('revoke', 'lost-job');
  await directory.accounts.setState('one', 'paused', null);
  now += 60_000;
  await tick();
  expect((await own.takenChunks('revoke')).length).toBe(1);
  await directory.accounts.setState('one', 'active', null);
  now += 60_000;
  await tick();
  expect((await own.takenChunks('revoke')).length).toBe(0);
});
