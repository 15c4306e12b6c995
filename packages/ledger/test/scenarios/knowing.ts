import { expect } from 'vitest';
import { extend, LIFE, life, NONE, revoke, SCRIPT, type TestLedger, TIMES, until } from '../open-test-ledger.ts';
import type { Scenario } from './scenario.ts';

const DAY = 86_400_000;
const U = TIMES.verifyDelayMs;

/** A key whose lifetime access is settled while an earlier write may still land. */
async function openWindow(t: TestLedger) {
  await t.submit('a', life('ann'));
  await t.settle('ann', 'w1', await t.arm('ann', 'w1'), { result: 'uncertain' });
  await t.pass(1_000);
  await t.settle('ann', 'w2', await t.arm('ann', 'w2'), { result: 'applied', target: LIFE });
}

/** Rules of verification, giving up, refresh and the sweep. */
export const knowing: readonly Scenario[] = [
  {
    rule: 'R12',
    name: 'a verification runs under the claim and is lost without it',
    async run(t) {
      await openWindow(t);
      await t.pass(U);
      await t.claim('ann', 'v1', 'verify');
      await t.pass(TIMES.leaseMs);
      const second = await t.claim('ann', 'v2', 'verify');
      expect((await t.ledger.verified(SCRIPT, 'ann', 'v1', LIFE, t.now())).need).toBe('lost');
      expect((await t.ledger.verified(SCRIPT, 'ann', 'v2', LIFE, t.now())).need).toBe('done');
      expect(second.base).toEqual(LIFE);
    },
  },
  {
    rule: 'R13',
    name: 'a verification that reads something else writes the base again and does not believe what it read',
    async run(t) {
      await openWindow(t);
      await t.pass(U);
      await t.claim('ann', 'v1', 'verify');
      expect(await t.ledger.verified(SCRIPT, 'ann', 'v1', NONE, t.now())).toMatchObject({
        need: 'write',
        base: LIFE,
        member: false,
      });
      expect((await t.record('ann')).base).toEqual(LIFE);
    },
  },
  {
    rule: 'R14',
    name: 'a mismatch keeps the window open until the correcting write settles',
    async run(t) {
      await openWindow(t);
      await t.pass(U);
      const work = await t.claim('ann', 'v1', 'verify');
      await t.ledger.verified(SCRIPT, 'ann', 'v1', NONE, t.now());
      expect((await t.record('ann')).window).toBeGreaterThan(0);
      await t.settle('ann', 'v1', work, { result: 'applied', target: LIFE });
      expect((await t.record('ann')).window).toBe(0);
    },
  },
  {
    rule: 'R20',
    name: 'when the tries are spent the deciding read waits for the end of the window',
    async run(t) {
      await t.submit('a', life('ann'));
      for (let i = 1; i <= TIMES.maxTries; i += 1) {
        await t.settle('ann', `w${i}`, await t.arm('ann', `w${i}`), { result: 'uncertain' });
        await t.pass(1_000);
      }
      expect(await t.claim('ann', 'w6', 'wait')).toMatchObject({ at: t.now() - 1_000 + U });
      await t.pass(U);
      await t.claim('ann', 'w7', 'final');
      await t.ledger.final(SCRIPT, 'ann', 'w7', LIFE, NONE, t.now());
      expect((await t.part('a')).outcomes.failed).toBe(1);
      expect(await t.record('ann')).toMatchObject({ base: NONE, window: 0, last: 'failed' });
    },
  },
  {
    rule: 'R23',
    name: 'the sweep moves keys that are due into an open chunk and says how many bells to ring',
    async run(t) {
      await t.submit('a', life('ann'));
      await t.ledger.take('grant-bulk', 'j1');
      await t.arm('ann', 'w1');
      await t.pass(TIMES.leaseMs);
      expect(await t.ledger.sweepDue(10)).toMatchObject({ moved: 1, bells: { 'grant-bulk': 1 } });
      expect((await t.ledger.take('grant-bulk', 'j2'))?.names).toEqual(['ann']);
    },
  },
  {
    rule: 'R24',
    name: 'a refresh leaves alone what has a chain, a claim, a window or is known since the list was begun',
    async run(t) {
      const since = t.now();
      await t.submit('a', life('ann'), extend('bob', 1), life('cid'), life('dan'));
      const at = until(t.now() + DAY);
      await t.arm('bob', 'w1', at);
      await t.settle('cid', 'w2', await t.arm('cid', 'w2'), { result: 'applied', target: LIFE });
      await t.settle('dan', 'w3', await t.arm('dan', 'w3'), { result: 'uncertain' });
      const members = ['ann', 'bob', 'cid'].map((username) => ({ username, expiresAt: since + 9 * DAY }));
      await t.ledger.refreshes.page(SCRIPT, 'r1', since, true, members);
      await t.ledger.refreshes.absent(SCRIPT, 'r1', since, true, 0);
      expect((await t.record('ann')).base).toEqual({ state: 'unknown' });
      expect((await t.record('bob')).base).toEqual(at);
      expect((await t.record('cid')).base).toEqual(LIFE);
      expect((await t.record('dan')).base).toEqual({ state: 'unknown' });
    },
  },
  {
    rule: 'R27',
    name: 'a base that is not fresh any more is read again before an extension counts from it',
    async run(t) {
      await t.submit('a', revoke('ann'));
      await t.settle('ann', 'w1', await t.arm('ann', 'w1'), { result: 'applied', target: NONE, outcome: 'revoked' });
      await t.pass(TIMES.freshMs);
      await t.submit('b', extend('ann', 1));
      await t.claim('ann', 'w2', 'base');
    },
  },
];
