import { expect } from 'vitest';
import { extend, grant, LIFE, life, NONE, revoke, SCRIPT, type TestLedger, until } from '../open-test-ledger.ts';
import type { Scenario } from './scenario.ts';

const DAY = 86_400_000;

async function knowNone(t: TestLedger, name = 'ann') {
  await t.submit('known', revoke(name));
  await t.settle(name, 'known', await t.arm(name, 'known'), { result: 'applied', target: NONE, outcome: 'revoked' });
}

const kinds = async (t: TestLedger, name = 'ann') => (await t.record(name)).chain.map((c) => `${c.version}${c.kind}`);

/** Rules of submit and cancel. */
export const accepting: readonly Scenario[] = [
  {
    rule: 'R1',
    name: 'an extension joins the chain and an absolute operation replaces what is not fixed',
    async run(t) {
      await t.submit('a', grant('ann', t.now() + DAY), extend('ann', 1), extend('ann', 1, 'M'));
      expect(await kinds(t)).toEqual(['1set', '2extend', '3extend']);
      await t.submit('b', life('ann'));
      expect(await kinds(t)).toEqual(['4set']);
      expect((await t.part('a')).outcomes.superseded).toBe(3);
    },
  },
  {
    rule: 'R6',
    name: 'a fixed contributor is not superseded by a newer operation, it stays until its write settles',
    async run(t) {
      await t.submit('a', grant('ann', t.now() + DAY));
      const work = await t.arm('ann', 'w1');
      await t.submit('b', revoke('ann'));
      expect(await kinds(t)).toEqual(['1set', '2revoke']);
      expect((await t.part('a')).pending).toBe(1);
      expect(await t.settle('ann', 'w1', work, { result: 'applied', target: until(t.now() + DAY) })).toBe('again');
      expect((await t.part('a')).outcomes.granted).toBe(1);
      expect(await kinds(t)).toEqual(['2revoke']);
    },
  },
  {
    rule: 'R17',
    name: 'a cancel leaves alone what a write was armed with',
    async run(t) {
      await t.submit('a', extend('ann', 1));
      await t.arm('ann', 'w1');
      await t.submit('a', extend('ann', 2));
      await t.cancel('a');
      expect(await kinds(t)).toEqual(['1extend']);
      expect(await t.part('a')).toMatchObject({ pending: 1, cancelled: true, outcomes: { cancelled: 1 } });
    },
  },
  {
    rule: 'R18',
    name: 'a cancel moves the version, so that a base read before it cannot be fixed',
    async run(t) {
      await t.submit('a', extend('ann', 1));
      await t.submit('b', extend('ann', 2));
      const work = await t.claim('ann', 'w1', 'base');
      await t.cancel('b');
      expect((await t.ledger.fix(SCRIPT, 'ann', 'w1', work.version, NONE, t.now())).need).toBe('again');
    },
  },
  {
    rule: 'R19',
    name: 'an operation ends unchanged at once only on a key with no chain, no claim, no window and a fresh base',
    async run(t) {
      await knowNone(t);
      await t.submit('a', revoke('ann'));
      expect((await t.part('a')).outcomes.unchanged).toBe(1);
      await t.submit('b', life('ann'));
      await t.submit('c', revoke('ann'));
      expect((await t.part('c')).pending).toBe(1);
      const work = await t.arm('ann', 'w1');
      await t.settle('ann', 'w1', work, { result: 'uncertain' });
      await t.pass(1_000);
      const again = await t.arm('ann', 'w2');
      await t.settle('ann', 'w2', again, { result: 'applied', target: NONE, outcome: 'revoked' });
      expect((await t.record('ann')).window).toBeGreaterThan(t.now());
      await t.submit('d', revoke('ann'));
      expect((await t.part('d')).pending).toBe(1);
    },
  },
  {
    rule: 'R21',
    name: 'a chunk that is sent again is not accepted again, inside the Lua that accepts',
    async run(t) {
      const rows = [1, 2].map((row) => ({ row, script: SCRIPT, operation: extend('ann', row) }));
      const ref = { id: 'a', kind: 'batch', lane: 'bulk', turn: 'a', source: 'key' } as const;
      await t.ledger.submit(ref, 0, rows);
      expect(await t.ledger.submit(ref, 0, rows)).toMatchObject({ status: 'taken' });
      expect(await kinds(t)).toEqual(['1extend', '2extend']);
      expect(await t.part('a')).toMatchObject({ total: 2, pending: 2, watermark: 2 });
    },
  },
  {
    rule: 'R29',
    name: 'an outcome is counted by the Lua that takes the contributor out',
    async run(t) {
      await t.submit('a', grant('ann', t.now() + DAY));
      await t.submit('b', life('ann'));
      await t.expectCountsToAgree();
      await t.settle('ann', 'w1', await t.arm('ann', 'w1'), { result: 'applied', target: LIFE });
      await t.expectCountsToAgree();
      expect((await t.part('b')).outcomes.granted).toBe(1);
    },
  },
  {
    rule: 'R30',
    name: 'the Lua that accepts writes the open chunk, and a chunk sent again writes it again',
    async run(t) {
      const ref = { id: 'a', kind: 'batch', lane: 'bulk', turn: 'a', source: 'key' } as const;
      const rows = [{ row: 1, script: SCRIPT, operation: life('ann') }];
      for (const job of ['j1', 'j2']) {
        expect(await t.ledger.submit(ref, 0, rows)).toMatchObject({ bells: { 'grant-bulk': 1 } });
        expect(await t.ledger.take('grant-bulk', job)).toMatchObject({
          script: SCRIPT,
          action: 'grant',
          names: ['ann'],
        });
      }
    },
  },
  {
    rule: 'R34',
    name: 'a job that runs again gets the chunk that it already took',
    async run(t) {
      await t.submit('a', life('ann'));
      await t.submit('b', life('bob'));
      const first = await t.ledger.take('grant-bulk', 'j1');
      expect(await t.ledger.take('grant-bulk', 'j1')).toEqual(first);
      expect((await t.ledger.take('grant-bulk', 'j2'))?.names).toEqual(['bob']);
    },
  },
];
