import { openRedis } from '@pinegate/runtime';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { openTestLedger } from './open-test-ledger.ts';
import { LUA_RULES, sabotage } from './sabotage.ts';
import { accepting } from './scenarios/accepting.ts';
import { knowing } from './scenarios/knowing.ts';
import { writing } from './scenarios/writing.ts';

const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => redis.quit());
const scenarios = [...accepting, ...writing, ...knowing];

describe.each(scenarios)('$rule: $name', ({ rule, run }) => {
  test('holds in the ledger', async () => {
    const ledger = await openTestLedger(redis);
    await run(ledger);
    await ledger.expectCountsToAgree();
  });

  test('does not hold in a ledger without the rule', async () => {
    const ledger = await openTestLedger(redis, sabotage(rule));
    await expect(run(ledger)).rejects.toMatchObject({ name: 'AssertionError' });
  });
});

test('every rule that lives in the Lua has a scenario', () => {
  expect(new Set(scenarios.map((s) => s.rule))).toEqual(new Set(LUA_RULES));
});
