import { randomBytes } from 'node:crypto';
import { type Directory, type Ledger, openDirectory, openLedger } from '@pinegate/ledger';
import { closeRedis, openRedis, type Redis, redisReady } from '@pinegate/runtime';
import { randomNamespace } from '@pinegate/testing';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { buildUpkeep } from '../src/build-upkeep.ts';

const DAY = 86_400_000;
const SCRIPT = `PUB;${'a'.repeat(32)}`;

let redis: Redis;
let ns: string;
let directory: Directory;
let ledger: Ledger;
let put: unknown[];
let tick: () => Promise<void>;

beforeAll(async () => {
  redis = openRedis(inject('redisUrl'), 'shared');
  await redisReady(redis);
});
afterAll(() => closeRedis(redis));
beforeEach(async () => {
  ns = randomNamespace();
  directory = openDirectory({ redis, ns, secretKey: randomBytes(32), retentionMs: DAY });
  const times = { verifyDelayMs: 0, leaseMs: 20_000, freshMs: DAY, retentionMs: DAY, maxTries: 5 };
  ledger = openLedger({ redis, ns, times });
  const budget = { start: null, min: 0.5, max: 1_000, adaptive: true };
  const budgets = { grant: budget, revoke: budget, list: budget, lookup: budget };
  await directory.accounts.put('one', { scripts: [SCRIPT], budgets, maxInFlight: 24 });
  put = [];
  let now = 0;
  const tasks = { put: async (kind: string, payloads: readonly object[]) => void put.push([kind, payloads]) };
  tick = buildUpkeep({ directory, ledger, tasks, monotonic: () => (now += 60_000) });
});

const ttl = (batch: string) => redis.pttl(`{${ns}}:batch:${batch}`);

test('batches that nobody reads begin their retention once they have settled, cut uploads too', async () => {
  const operation = { action: 'revoke', script: SCRIPT, username: 'ann' } as const;
  for (const id of ['done', 'cut', 'pending', 'receiving']) await directory.batches.create(id, 'k');
  await directory.batches.setUpload('done', 'complete', 0);
  await directory.batches.setUpload('cut', 'interrupted', 0);
  await directory.batches.addPart('pending', 'one', 'bulk');
  await directory.batches.setUpload('pending', 'interrupted', 1);
  const part = { id: 'pending', kind: 'batch', lane: 'bulk', turn: 'pending', source: 'k' } as const;
  await ledger.account('one').submit(part, 0, [{ row: 1, script: 1, operation }]);
  await tick();
  expect(await ttl('done')).toBeGreaterThan(DAY - 60_000);
  expect(await ttl('cut')).toBeGreaterThan(DAY - 60_000);
  expect([await ttl('pending'), await ttl('receiving')]).toEqual([-1, -1]);

  await directory.batches.setUpload('cut', 'receiving', 0);
  await tick();
  expect(await ttl('cut')).toBe(-1);
});

test('a refresh whose task was lost goes on the queue again', async () => {
  const { refreshes } = ledger.account('one');
  await refreshes.begin('one.1', 1, 'report');
  await tick();
  expect(put).toEqual([]);
  await redis.hset(`{${ns}:one}:refresh-run:one.1`, 'heldUntil', 1);
  await tick();
  expect(put).toEqual([['refresh', [{ account: 'one', refresh: 'one.1' }]]]);
});
