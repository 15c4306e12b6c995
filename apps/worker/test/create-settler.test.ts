import type { Settled, Settlement } from '@pinegate/ledger';
import { expect, test } from 'vitest';
import { createSettler } from '../src/create-settler.ts';

const settlement = (name: string): Settlement => ({
  script: 0,
  name,
  token: 't',
  carried: 1,
  sent: true,
  result: 'rejected',
  code: 'X',
});

test('settles what came together in one call, and gives each its own answer', async () => {
  const calls: string[][] = [];
  const settler = createSettler({
    async settle(all) {
      calls.push(all.map((s) => s.name));
      return all.map((s): Settled => ({ need: s.name === 'b' ? 'again' : 'done', ended: [] }));
    },
  });
  const answers = await Promise.all(['a', 'b', 'c'].map((n) => settler.settle(settlement(n))));
  expect(answers.map((a) => a.need)).toEqual(['done', 'again', 'done']);
  expect(calls).toEqual([['a', 'b', 'c']]);
});

test('passes an error of Redis to all that were in the call, and goes on', async () => {
  let fails = true;
  const settler = createSettler({
    async settle(all) {
      if (fails) throw new Error('gone');
      return all.map((): Settled => ({ need: 'done', ended: [] }));
    },
  });
  const results = await Promise.allSettled([settler.settle(settlement('a')), settler.settle(settlement('b'))]);
  expect(results.map((r) => r.status)).toEqual(['rejected', 'rejected']);
  fails = false;
  expect((await settler.settle(settlement('c'))).need).toBe('done');
});
