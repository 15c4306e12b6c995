import { randomBytes } from 'node:crypto';
import { createBudgetReader } from '@pinegate/budget';
import { openDirectory, openLedger } from '@pinegate/ledger';
import { createLogger, createMetrics, memoryBytes, openRedis } from '@pinegate/runtime';
import { randomNamespace } from '@pinegate/testing';
import { afterAll, beforeEach, expect, inject, test } from 'vitest';
import { createAccountGauges } from '../src/account-gauges.ts';

const SCRIPT = `PUB;${'a1'.repeat(16)}`;
const DAY_MS = 86_400_000;
const TIMES = { verifyDelayMs: 45_000, leaseMs: 20_000, freshMs: DAY_MS, retentionMs: DAY_MS, maxTries: 5 };
const limits = { start: 5, min: 0.5, max: 1_000, adaptive: true };

const log = createLogger({ app: 'test', level: 'silent' });
const redis = openRedis(inject('redisUrl'), 'shared');
const closers: (() => unknown)[] = [() => redis.quit()];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

let leading: boolean;
let text: () => Promise<string>;

beforeEach(async () => {
  const ns = randomNamespace();
  const directory = openDirectory({ redis, ns, secretKey: randomBytes(32), retentionMs: DAY_MS });
  closers.push(() => directory.close());
  const ledger = openLedger({ redis, ns, times: TIMES });
  const budgets = { grant: limits, revoke: { ...limits, start: null }, list: limits, lookup: limits };
  await directory.accounts.put('one', { scripts: [SCRIPT], budgets, maxInFlight: 24 });
  const { postedAt } = (await directory.sessions.put('one', { sessionid: 'x', sessionidSign: null }))?.session ?? {};
  const operation = { action: 'revoke', script: SCRIPT, username: 'anna' } as const;
  const part = { id: 'op', kind: 'single', lane: 'single', turn: 'key', source: 'key' } as const;
  await ledger.account('one').submit(part, 0, [{ row: 1, script: 1, operation }]);

  await directory.idempotency.begin('key PUT /', 'k', 'f', 'r');

  leading = true;
  const metrics = createMetrics('worker');
  const sources = { directory, ledger, budgets: createBudgetReader({ redis, ns }), isLeading: () => leading };
  const readMemory = async () => memoryBytes(await redis.info('memory'));
  createAccountGauges(metrics, { ...sources, readMemory, now: () => (postedAt ?? 0) + 5_000 }, log);
  text = () => metrics.text();
});

function values(exposition: string, name: string): Record<string, string> {
  const lines = exposition.split('\n').filter((line) => line.startsWith(`${name}{`));
  return Object.fromEntries(
    lines.map((line) => {
      const [, labels = '', value = ''] = /\{(.*)\} (.*)$/.exec(line) ?? [];
      const kept = labels.split(',').filter((label) => !label.startsWith('app='));
      return [kept.join(','), value];
    }),
  );
}

test('the leader tells what waits, how long, and in which state each account is', async () => {
  const seen = await text();
  expect(values(seen, 'pinegate_pending')).toMatchObject({
    'account="one",lane="revoke"': '1',
    'account="one",lane="grant"': '0',
    'account="one",lane="grant-bulk"': '0',
    'account="one",lane="revoke-bulk"': '0',
  });
  expect(Number(values(seen, 'pinegate_oldest_wait_seconds')['account="one",lane="revoke"'])).toBeGreaterThanOrEqual(0);
  expect(values(seen, 'pinegate_account_state')).toEqual({
    'account="one",state="active"': '0',
    'account="one",state="parked"': '1',
    'account="one",state="paused"': '0',
  });
  expect(values(seen, 'pinegate_session_age_seconds')).toEqual({ 'account="one"': '5' });
  expect(values(seen, 'pinegate_leader')).toEqual({ '': '1' });
});

test('the leader tells the rates, where they start until something is learned, and +Inf without a limit', async () => {
  const seen = await text();
  expect(values(seen, 'pinegate_budget_rate')).toMatchObject({
    'account="one",budget="grant"': '5',
    'account="one",budget="revoke"': '+Inf',
  });
  expect(values(seen, 'pinegate_breaker_open')).toEqual({ 'account="one"': '0' });
  expect(values(seen, 'pinegate_in_flight')).toEqual({ 'account="one"': '0' });
  expect(values(seen, 'pinegate_idempotency_keys')).toEqual({ '': '1' });
  expect(Number(values(seen, 'pinegate_redis_memory_used_bytes')[''])).toBeGreaterThan(0);
});

test('a worker that does not lead exports no account, or a sum over workers would count it twice', async () => {
  leading = false;
  const seen = await text();
  expect(values(seen, 'pinegate_leader')).toEqual({ '': '0' });
  expect(seen).not.toContain('account="one"');
});
