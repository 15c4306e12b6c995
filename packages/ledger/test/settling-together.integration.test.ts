import { openRedis } from '@pinegate/runtime';
import { afterAll, expect, inject, test } from 'vitest';
import type { Settlement } from '../src/index.ts';
import { grant, LIFE, life, NONE, openTestLedger, revoke, SCRIPT, type TestLedger, until } from './open-test-ledger.ts';

const FUTURE = Date.UTC(2040, 0, 1);

const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => redis.quit());

/** What a worker would settle for a key that it has armed under a claim of its own. */
async function armed(t: TestLedger, name: string, result: object): Promise<Settlement> {
  const { version } = await t.arm(name, `claim-of-${name}`);
  const common = { script: SCRIPT, name, token: `claim-of-${name}`, carried: version, sent: true };
  return { ...common, ...result } as Settlement;
}

const granted = { result: 'applied', target: LIFE, outcome: 'granted' };

test('keys that settle in one call are answered in their order, whatever they have in common', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', life('ann'), grant('Bob', FUTURE), life('carl'), revoke('dora'), life('Eve'), life('fred'));
  const settlements = [
    await armed(t, 'ann', { ...granted, spelling: 'ann' }),
    await armed(t, 'bob', { ...granted, target: until(FUTURE), spelling: 'Bob' }),
    await armed(t, 'carl', { result: 'uncertain', code: 'reset', retryMs: 60_000, spend: true }),
    await armed(t, 'dora', { result: 'applied', target: NONE, outcome: 'revoked', spelling: 'dora' }),
    await armed(t, 'eve', { result: 'rejected', code: 'no_such_user' }),
    { ...(await armed(t, 'fred', { ...granted, spelling: 'fred' })), token: 'claim-of-another', sent: false },
  ];
  const answers = await t.ledger.settle(settlements);
  expect(answers).toMatchObject([
    { need: 'done', ended: [{ outcome: 'granted', action: 'grant' }] },
    { need: 'done', ended: [{ outcome: 'granted', action: 'grant' }] },
    { need: 'wait', at: t.now() + 60_000, ended: [] },
    { need: 'done', ended: [{ outcome: 'revoked', action: 'revoke' }] },
    { need: 'done', ended: [{ outcome: 'rejected', action: 'grant' }] },
    { need: 'lost', ended: [] },
  ]);
  expect(await t.record('bob')).toMatchObject({ username: 'Bob', spellingAccepted: true, base: until(FUTURE) });
  expect(await t.record('ann')).toMatchObject({ username: 'ann', spellingAccepted: true, base: LIFE });
  expect(await t.record('dora')).toMatchObject({ spellingAccepted: true, base: NONE });
  expect((await t.record('eve')).chain).toEqual([]);
  expect((await t.record('carl')).chain).toHaveLength(1);
  expect((await t.record('fred')).chain).toHaveLength(1);
  await t.expectCountsToAgree();
});

test('keys of one claim that settle alike end alike, and what each chain had in it ends with it', async () => {
  const t = await openTestLedger(redis);
  await t.submit('a', life('ann'), life('bob'));
  await t.submit('b', life('carl'), life('ann'));
  const names = ['bob', 'ann', 'carl'];
  const { keys } = await t.ledger.claim(SCRIPT, names, 'w', { grant: 3, revoke: 0, list: 0 });
  expect(keys).toMatchObject(names.map((name) => ({ name, need: 'write', spelling: name, claimedAt: t.now() })));
  const settlements = keys.map(
    (key) =>
      ({
        script: SCRIPT,
        name: key.name,
        token: 'w',
        carried: 'version' in key ? key.version : 0,
        sent: true,
        ...granted,
      }) as Settlement,
  );
  const answers = await t.ledger.settle(settlements);
  const ended = [{ outcome: 'granted', action: 'grant', lane: 'bulk', afterMs: 0 }];
  expect(answers).toEqual(names.map(() => ({ need: 'done', ended })));
  expect((await t.part('a')).outcomes).toMatchObject({ granted: 1, superseded: 1 });
  expect((await t.part('b')).outcomes).toMatchObject({ granted: 2 });
});
