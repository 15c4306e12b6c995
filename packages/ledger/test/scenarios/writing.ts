import { expect } from 'vitest';
import { extend, grant, LIFE, life, NONE, revoke, SCRIPT, TIMES, until } from '../open-test-ledger.ts';
import type { Scenario } from './scenario.ts';

const DAY = 86_400_000;
const U = TIMES.verifyDelayMs;

/** Rules of claim, fix and settle: the base, the version that a write carries, the window. */
export const writing: readonly Scenario[] = [
  {
    rule: 'R3',
    name: 'a base is held until all that was computed from it is settled, and not read again when the chain has grown',
    async run(t) {
      await t.submit('a', extend('ann', 1));
      const work = await t.arm('ann', 'w1', until(t.now() + DAY));
      await t.settle('ann', 'w1', work, { result: 'uncertain' });
      await t.submit('b', extend('ann', 2));
      await t.pass(1_000);
      const again = await t.claim('ann', 'w2', 'write');
      expect(again).toMatchObject({ base: work.base, version: 2 });
      expect(again.chain).toHaveLength(2);
    },
  },
  {
    rule: 'R4',
    name: 'a base that was read is fixed only if the version has not moved since the claim',
    async run(t) {
      await t.submit('a', extend('ann', 1));
      const work = await t.claim('ann', 'w1', 'base');
      await t.submit('b', extend('ann', 2));
      expect((await t.ledger.fix(SCRIPT, 'ann', 'w1', work.version, LIFE, t.now())).need).toBe('again');
      expect((await t.record('ann')).base).toEqual({ state: 'unknown' });
    },
  },
  {
    rule: 'R5',
    name: 'an applied write ends only the contributors that it carried',
    async run(t) {
      await t.submit('a', grant('ann', t.now() + DAY));
      const work = await t.arm('ann', 'w1');
      await t.submit('b', extend('ann', 1));
      expect(await t.settle('ann', 'w1', work, { result: 'applied', target: until(t.now() + DAY) })).toBe('again');
      expect((await t.part('b')).pending).toBe(1);
    },
  },
  {
    rule: 'R25',
    name: 'a refusal for good ends only the contributors that it answered',
    async run(t) {
      await t.submit('a', grant('ann', t.now() + DAY));
      const work = await t.arm('ann', 'w1');
      await t.submit('b', revoke('ann'));
      expect(await t.settle('ann', 'w1', work, { result: 'rejected', code: 'no_such_user' })).toBe('again');
      expect((await t.part('a')).outcomes.rejected).toBe(1);
      expect((await t.part('b')).pending).toBe(1);
    },
  },
  {
    rule: 'R7',
    name: 'a settle always lets go, and more work is a new claim under a new token',
    async run(t) {
      await t.submit('a', grant('ann', t.now() + DAY));
      const work = await t.arm('ann', 'w1');
      await t.submit('b', life('ann'));
      await t.settle('ann', 'w1', work, { result: 'applied', target: until(t.now() + DAY) });
      expect(await t.settle('ann', 'w1', work, { result: 'applied', target: until(t.now() + DAY) })).toBe('lost');
      await t.claim('ann', 'w2', 'write');
    },
  },
  {
    rule: 'R8',
    name: 'every uncertain answer moves the window to its own end',
    async run(t) {
      await t.submit('a', life('ann'));
      for (const token of ['w1', 'w2']) {
        await t.settle('ann', token, await t.arm('ann', token), { result: 'uncertain' });
        expect((await t.record('ann')).window).toBe(t.now() + U);
        await t.pass(2_000);
      }
    },
  },
  {
    rule: 'R9',
    name: 'a window outlives the settle of a claim that began before its end',
    async run(t) {
      await t.submit('a', life('ann'));
      await t.settle('ann', 'w1', await t.arm('ann', 'w1'), { result: 'uncertain' });
      const { window } = await t.record('ann');
      await t.pass(U - 1_000);
      const work = await t.arm('ann', 'w2');
      await t.pass(2_000);
      expect(await t.settle('ann', 'w2', work, { result: 'applied', target: LIFE })).toBe('wait');
      expect((await t.record('ann')).window).toBe(window);
      await t.submit('b', revoke('ann'));
      const later = await t.arm('ann', 'w3');
      expect(await t.settle('ann', 'w3', later, { result: 'applied', target: NONE, outcome: 'revoked' })).toBe('done');
      expect((await t.record('ann')).window).toBe(0);
    },
  },
  {
    rule: 'R10',
    name: 'taking over a lapsed claim that had armed a write opens the window to U after its end',
    async run(t) {
      await t.submit('a', life('ann'));
      await t.arm('ann', 'w1');
      const end = t.now() + TIMES.leaseMs;
      await t.pass(TIMES.leaseMs);
      await t.arm('ann', 'w2');
      expect(await t.record('ann')).toMatchObject({ window: end + U, lapses: 1 });
    },
  },
  {
    rule: 'R11',
    name: 'a settle that finds its claim gone opens the window to U from now',
    async run(t) {
      await t.submit('a', life('ann'));
      const work = await t.arm('ann', 'w1');
      await t.pass(TIMES.leaseMs);
      const second = await t.arm('ann', 'w2');
      await t.pass(3_000);
      expect(await t.settle('ann', 'w1', work, { result: 'applied', target: LIFE })).toBe('lost');
      expect((await t.record('ann')).window).toBe(t.now() + U);
      expect(await t.settle('ann', 'w2', second, { result: 'applied', target: LIFE })).toBe('wait');
    },
  },
  {
    rule: 'R32',
    name: 'whoever is told to claim again has it written in the ledger that the key is due',
    async run(t) {
      await t.submit('a', grant('ann', t.now() + DAY));
      const work = await t.arm('ann', 'w1');
      await t.submit('b', life('ann'));
      expect(await t.settle('ann', 'w1', work, { result: 'applied', target: until(t.now() + DAY) })).toBe('again');
      await t.pass(1_000);
      expect((await t.ledger.sweepDue(10)).moved).toBe(1);
    },
  },
  {
    rule: 'R33',
    name: 'a settle whose claim is gone moves the due time only earlier',
    async run(t) {
      await t.submit('a', life('ann'));
      const work = await t.arm('ann', 'w1');
      await t.pass(TIMES.leaseMs);
      await t.arm('ann', 'w2');
      const due = (await t.ledger.summary()).nextDue;
      await t.settle('ann', 'w1', work, { result: 'applied', target: LIFE });
      expect(due).toBe(t.now() + TIMES.leaseMs);
      expect((await t.ledger.summary()).nextDue).toBe(due);
    },
  },
];
