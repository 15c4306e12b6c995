import type { Operation } from '@pinegate/access';
import { closeRedis, openRedis } from '@pinegate/runtime';
import fc from 'fast-check';
import { afterAll, expect, inject, test } from 'vitest';
import type { Claimed, Settlement } from '../src/index.ts';
import {
  extend,
  grant,
  LIFE,
  life,
  openTestLedger,
  PERMITS,
  revoke,
  SCRIPT,
  type TestLedger,
} from './open-test-ledger.ts';

const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => closeRedis(redis));

const FUTURE = Date.UTC(2040, 0, 1);
const NAMES = ['ann', 'bob', 'carl', 'dora', 'eve', 'fred', 'gina', 'hal'];

const OPERATIONS: readonly ((name: string) => Operation)[] = [
  (name) => grant(name, FUTURE),
  life,
  revoke,
  (name) => extend(name, 1, 'M'),
  (name) => grant(name.toUpperCase(), FUTURE),
];
/** What may come of a claim, beside what says whose. */
const RESULTS = [
  { result: 'applied', target: LIFE, outcome: 'granted' },
  { result: 'applied', target: LIFE, outcome: 'granted', verify: true },
  { result: 'uncertain', code: 'reset', retryMs: 3_000, spend: true },
  { result: 'unapplied', code: 'limited', retryMs: 3_000 },
  { result: 'rejected', code: 'no_such_user' },
] as const;

interface Round {
  /** Of each name what is asked for it, as indexes of OPERATIONS: mostly the first. */
  readonly asked: readonly (readonly number[])[];
  /** Of each name what comes of its claim, as an index of RESULTS. */
  readonly came: readonly number[];
  readonly cancel: boolean;
  readonly pass: number;
}

const mostly = (others: number) => fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(others - 1));
const ofEach = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: NAMES.length, maxLength: NAMES.length });
const ofAll = <T>(one: fc.Arbitrary<T>) => one.map((same) => NAMES.map(() => same));
const round: fc.Arbitrary<Round> = fc.record({
  asked: ofEach(fc.array(mostly(OPERATIONS.length), { maxLength: 2 })),
  came: fc.oneof(ofEach(mostly(RESULTS.length)), ofAll(fc.nat(RESULTS.length - 1))),
  cancel: fc.boolean(),
  pass: fc.constantFrom(0, 4_000, 13_000),
});

const ALL_UNCERTAIN: Round = { asked: NAMES.map(() => [0]), came: NAMES.map(() => 2), cancel: false, pass: 13_000 };
const ALL_AGAIN: Round = { asked: NAMES.map(() => []), came: NAMES.map(() => 0), cancel: false, pass: 0 };

function settlementOf(key: Claimed, came: number): Settlement {
  const carried = 'version' in key ? key.version : 0;
  return { script: SCRIPT, name: key.name, token: 'w', carried, sent: true, ...(RESULTS[came] ?? RESULTS[0]) };
}

/** All that a ledger holds of the accesses. */
async function look({ ledger, tag }: TestLedger, batches: readonly string[]) {
  const pages = await Promise.all(NAMES.map((name) => ledger.readHistory(SCRIPT, name, null, 100)));
  return {
    records: await ledger.readAccess(SCRIPT, NAMES),
    parts: await ledger.readParts(batches),
    claims: await redis.hgetall(`${tag}claims`),
    due: await redis.zrange(`${tag}due`, '0', '-1', 'WITHSCORES'),
    errors: await redis.hgetall(`${tag}errors`),
    // Dated by Redis' own clock.
    history: pages.map(({ items }) => items.map(({ at, ...item }) => item)),
    summary: await ledger.summary(),
  };
}

test('keys that are claimed and settled in one call come to the same as one by one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 3 }), async (rounds) => {
      const together = await openTestLedger(redis);
      const alone = await openTestLedger(redis);
      const both = [together, alone];
      const batches = rounds.map((_, n) => `b${n}`);
      const expectTheSame = async () => expect(await look(together, batches)).toEqual(await look(alone, batches));
      for (const [n, { asked, came, cancel, pass }] of rounds.entries()) {
        const operations = NAMES.flatMap((name, i) => (asked[i] ?? []).map((o) => OPERATIONS[o]?.(name) ?? life(name)));
        for (const t of both) {
          await t.submit(`b${n}`, ...operations);
          if (cancel && n > 0) await t.ledger.cancel(`b${n - 1}`);
        }
        const { keys } = await together.ledger.claim(SCRIPT, NAMES, 'w', PERMITS);
        const one: Claimed[] = [];
        for (const name of NAMES) one.push(...(await alone.ledger.claim(SCRIPT, [name], 'w', PERMITS)).keys);
        expect(keys).toEqual(one);
        await expectTheSame();

        const settlements = keys
          .filter((key) => 'version' in key)
          .map((key) => settlementOf(key, came[NAMES.indexOf(key.name)] ?? 0));
        const each = [];
        const all = await together.ledger.settle(settlements);
        for (const settlement of settlements) each.push(...(await alone.ledger.settle([settlement])));
        expect(all).toEqual(each);
        await expectTheSame();
        for (const t of both) await t.pass(pass);
      }
      await together.expectCountsToAgree();
    }),
    { numRuns: 60, examples: [[[ALL_UNCERTAIN, ALL_AGAIN]]] },
  );
});

test('keys that are alike need a permit each', async () => {
  const t = await openTestLedger(redis);
  await t.submit('b', ...NAMES.map(life));
  const { keys } = await t.ledger.claim(SCRIPT, NAMES, 'w', { grant: 3, revoke: 0, list: 0 });
  expect(keys.map(({ need }) => need)).toEqual([...Array(3).fill('write'), ...Array(5).fill('permit')]);
  expect(await redis.hlen(`${t.tag}claims`)).toBe(3);
});
