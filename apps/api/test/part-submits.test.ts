import type { SubmitResult, SubmitRow } from '@pinegate/ledger';
import { expect, test } from 'vitest';
import { buildPartSubmits } from '../src/batches/part-submits.ts';

const PART = { id: 'b', kind: 'batch', lane: 'bulk', turn: 'b', source: 'k' } as const;
const READY = Promise.resolve();

const rowsOf = (from: number, to: number): SubmitRow[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ({
    row: from + i,
    script: 1,
    operation: { action: 'revoke', script: 'PUB;0', username: `user${from + i}` },
  }));

/** A ledger that keeps the watermark rule, and answers when it is told to. */
function world(watermark = 0) {
  const sent: { after: number; first: number; answer(error?: Error): void }[] = [];
  const taken: number[] = [];
  let wm = watermark;
  function judge(after: number, rows: readonly SubmitRow[]): SubmitResult {
    const fresh = rows.filter(({ row }) => row > wm);
    const at = rows.findIndex(({ row }) => row > wm);
    const before = at > 0 ? rows[at - 1]?.row : after;
    if (fresh.length > 0 && before !== wm && (at === 0 || (before ?? 0) < wm)) return { status: 'gap', watermark: wm };
    taken.push(...fresh.map(({ row }) => row));
    wm = Math.max(wm, rows.at(-1)?.row ?? 0);
    return { status: 'taken', part: 1, acceptedAt: 0, refused: [], bells: {}, ended: [], record: null };
  }
  const ledger = {
    submit(_part: unknown, after: number, rows: readonly SubmitRow[]) {
      const { promise, resolve, reject } = Promise.withResolvers<SubmitResult>();
      const answer = (error?: Error) => (error ? reject(error) : resolve(judge(after, rows)));
      sent.push({ after, first: rows[0]?.row ?? 0, answer });
      return promise;
    },
  };
  return { sent, taken, submits: buildPartSubmits(ledger, PART) };
}

const sentSoFar = (w: ReturnType<typeof world>) => w.sent.map(({ after, first }) => [after, first]);

test('two submits are under way at once, each naming the last row of the one before', async () => {
  const w = world();
  const all = [w.submits.submit(rowsOf(1, 3), READY), w.submits.submit(rowsOf(4, 6), READY)];
  all.push(w.submits.submit(rowsOf(7, 9), READY));
  await expect
    .poll(() => sentSoFar(w))
    .toEqual([
      [0, 1],
      [3, 4],
    ]);
  w.sent[0]?.answer();
  await expect.poll(() => sentSoFar(w)[2]).toEqual([6, 7]);
  w.sent[1]?.answer();
  w.sent[2]?.answer();
  await Promise.all(all);
  expect(w.taken).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('a submit whose predecessor fails for good fails likewise, and its rows are not taken', async () => {
  const w = world();
  const first = w.submits.submit(rowsOf(1, 3), READY);
  const second = w.submits.submit(rowsOf(4, 6), READY);
  const ends = Promise.allSettled([first, second]);
  await expect.poll(() => w.sent.length).toBe(2);
  w.sent[0]?.answer(new Error('broken'));
  w.sent[1]?.answer();
  expect((await ends).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(w.taken).toEqual([]);
});

test('a submit that never becomes ready lets no later row be taken', async () => {
  const w = world();
  const first = w.submits.submit(rowsOf(1, 3), Promise.reject(new Error('no checkpoint')));
  const second = w.submits.submit(rowsOf(4, 6), READY);
  const ends = Promise.allSettled([first, second]);
  await expect.poll(() => sentSoFar(w)).toEqual([[3, 4]]);
  w.sent[0]?.answer();
  expect((await ends).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(w.taken).toEqual([]);
});

test('a submit that is ahead of one sent again is sent again in its turn', async () => {
  const w = world();
  const all = [w.submits.submit(rowsOf(1, 3), READY), w.submits.submit(rowsOf(4, 6), READY)];
  await expect.poll(() => w.sent.length).toBe(2);
  w.sent[1]?.answer();
  w.sent[0]?.answer();
  await expect.poll(() => sentSoFar(w)[2]).toEqual([3, 4]);
  w.sent[2]?.answer();
  await Promise.all(all);
  expect(w.taken).toEqual([1, 2, 3, 4, 5, 6]);
});

test('rows that an earlier request has brought are not taken again, wherever it ended', async () => {
  const w = world(5);
  const all = Promise.all([w.submits.submit(rowsOf(1, 3), READY), w.submits.submit(rowsOf(4, 6), READY)]);
  const done = all.then(() => true);
  for (let next = 0; !(await Promise.race([done, Promise.resolve(false)])); ) {
    const call = w.sent[next];
    if (call) next += 1;
    call?.answer();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(w.taken).toEqual([6]);
});
