import type { Lane } from '@pinegate/access';
import { expect, test } from 'vitest';
import { buildRing } from '../src/ring-bells.ts';

function world() {
  const calls: { account: string; lane: Lane; count: number; answer(error?: Error): void }[] = [];
  const missed: number[] = [];
  const bells = {
    ring(account: string, lane: Lane, count: number) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      calls.push({ account, lane, count, answer: (error) => (error ? reject(error) : resolve()) });
      return promise;
    },
  };
  const missedRings = { inc: (_labels: object, count = 1) => void missed.push(count) };
  return { calls, missed, ring: buildRing(bells, { missedRings }, { warn: () => {} }) };
}

const rungSoFar = ({ calls }: ReturnType<typeof world>) =>
  calls.map(({ account, lane, count }) => [account, lane, count]);

test('what comes for a lane while it is rung gathers and is rung together, for others at once', async () => {
  const w = world();
  const first = w.ring('a', { grant: 1 });
  const later = [w.ring('a', { grant: 1 }), w.ring('a', { grant: 2, revoke: 1 }), w.ring('b', { grant: 1 })];
  expect(rungSoFar(w)).toEqual([
    ['a', 'grant', 1],
    ['a', 'revoke', 1],
    ['b', 'grant', 1],
  ]);
  for (const call of w.calls) call.answer();
  await first;
  await expect.poll(() => rungSoFar(w)[3]).toEqual(['a', 'grant', 3]);
  w.calls[3]?.answer();
  await Promise.all(later);
  const again = w.ring('a', { grant: 1 });
  expect(rungSoFar(w)[4]).toEqual(['a', 'grant', 1]);
  w.calls[4]?.answer();
  await again;
});

test('a ring that fails is counted with all that had gathered for it, and the next one goes on', async () => {
  const w = world();
  const first = w.ring('a', { grant: 1 });
  const later = Promise.all([w.ring('a', { grant: 2 }), w.ring('a', { grant: 3 })]);
  w.calls[0]?.answer(new Error('away'));
  await first;
  await expect.poll(() => w.calls.length).toBe(2);
  w.calls[1]?.answer(new Error('away'));
  await later;
  expect(w.missed).toEqual([1, 5]);
});
