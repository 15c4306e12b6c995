import fc from 'fast-check';
import { expect, it } from 'vitest';
import { buildSortedList } from '../src/sorted-list.ts';

const compare = (a: number, b: number) => a - b;

it('holds what a sorted array would hold, whatever is inserted and removed', () => {
  const change = fc.record({ insert: fc.boolean(), value: fc.integer({ min: 0, max: 3000 }) });
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 0, max: 3000 }), { maxLength: 1500 }),
      fc.array(change),
      (start, changes) => {
        const list = buildSortedList(compare, start);
        const expected = new Set(start);
        for (const { insert, value } of changes) {
          if (insert && !expected.has(value)) list.insert(value);
          if (!insert) list.remove(value);
          if (insert) expected.add(value);
          else expected.delete(value);
        }
        expect([...list.after(null)]).toEqual([...expected].sort(compare));
        expect(list.size).toBe(expected.size);
      },
    ),
    { numRuns: 50 },
  );
});

it('splits chunks when it grows one by one, in order, backwards and mixed', () => {
  for (const step of [1, -1, 7]) {
    const list = buildSortedList(compare);
    const values = Array.from({ length: 5000 }, (_, i) => (((i * step) % 5000) + 5000) % 5000);
    for (const value of values) list.insert(value);
    expect([...list.after(null)]).toEqual(Array.from({ length: 5000 }, (_, i) => i));
    expect([...list.before(null)]).toEqual(Array.from({ length: 5000 }, (_, i) => 4999 - i));
  }
});

it('walks from a position both ways, the position itself left out, present or not', () => {
  const list = buildSortedList(compare, [10, 20, 30]);
  expect([...list.after(20)]).toEqual([30]);
  expect([...list.after(15)]).toEqual([20, 30]);
  expect([...list.before(20)]).toEqual([10]);
  expect([...list.before(99)]).toEqual([30, 20, 10]);
  expect([...list.after(99)]).toEqual([]);
  expect([...list.before(10)]).toEqual([]);
});
