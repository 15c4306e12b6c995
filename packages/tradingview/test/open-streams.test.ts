import fc from 'fast-check';
import { expect, it } from 'vitest';
import { OpenStreams } from '../src/open-streams.ts';

const step = fc.tuple(fc.constantFrom('set' as const, 'delete' as const), fc.integer({ min: 1, max: 12 }));

it('answers as a Map does, whatever is opened and closed', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const streams = new OpenStreams<string>();
      const map = new Map<number, string>();
      for (const [i, [what, id]] of steps.entries()) {
        if (what === 'set') {
          streams.set(id, `stream ${i}`);
          map.set(id, `stream ${i}`);
        } else {
          expect(streams.delete(id)).toBe(map.delete(id));
        }
        const seen = new Map<number, string>();
        streams.forEach((stream, open) => void seen.set(open, stream));
        expect(seen).toEqual(map);
        expect(streams.size).toBe(map.size);
        for (let any = 0; any <= 12; any++) expect(streams.get(any)).toBe(map.get(any));
      }
    }),
  );
});

it('visits all that were open when it began, though each visit closes one', () => {
  const streams = new OpenStreams<number>();
  for (const id of [1, 3, 5, 7]) streams.set(id, id);
  const visited: number[] = [];
  streams.forEach((stream, id) => {
    visited.push(stream);
    streams.delete(id);
  });
  expect(visited).toEqual([1, 3, 5, 7]);
  expect(streams.size).toBe(0);
});
