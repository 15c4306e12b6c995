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
  const answers = await Promise.all(['a', 'b', 'c'].map((n) => settler.settle(settlement(n), false)));
  expect(answers.map((a) => a.need)).toEqual(['done', 'again', 'done']);
  expect(calls).toEqual([['a', 'b', 'c']]);
});

test('keys that nobody waits for stay for company, a short while or until there are enough', async () => {
  const calls: number[] = [];
  const planned: { ms: number; run: () => void; off: boolean }[] = [];
  const settler = createSettler(
    {
      async settle(all) {
        calls.push(all.length);
        return all.map((): Settled => ({ need: 'done', ended: [] }));
      },
    },
    (ms, run) => {
      const plan = { ms, run, off: false };
      planned.push(plan);
      return () => {
        plan.off = true;
      };
    },
  );
  const bulk = (n: number) => Array.from({ length: n }, (_, i) => settler.settle(settlement(`b${i}`), true));
  const few = bulk(3);
  await new Promise(setImmediate);
  expect(calls).toEqual([]);
  expect(planned.map(({ ms }) => ms)).toEqual([5]);
  planned[0]?.run();
  await Promise.all(few);
  expect(calls).toEqual([3]);

  await Promise.all(bulk(50));
  expect(calls).toEqual([3, 50]);

  const some = bulk(2);
  await settler.settle(settlement('somebody waits'), false);
  await Promise.all(some);
  expect(calls).toEqual([3, 50, 3]);
  expect(planned.filter(({ off }) => !off)).toEqual([]);
});

test('passes an error of Redis to all that were in the call, and goes on', async () => {
  let fails = true;
  const settler = createSettler({
    async settle(all) {
      if (fails) throw new Error('gone');
      return all.map((): Settled => ({ need: 'done', ended: [] }));
    },
  });
  const results = await Promise.allSettled([
    settler.settle(settlement('a'), false),
    settler.settle(settlement('b'), false),
  ]);
  expect(results.map((r) => r.status)).toEqual(['rejected', 'rejected']);
  fails = false;
  expect((await settler.settle(settlement('c'), false)).need).toBe('done');
});
