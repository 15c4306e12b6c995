import fc from 'fast-check';
import { expect, test } from 'vitest';
import { problemOf } from '../src/answer-errors.ts';
import { decodeCursor, encodeCursor } from '../src/cursor.ts';
import { Problem, problemBody } from '../src/problem.ts';
import { uuidV7 } from '../src/uuid-v7.ts';

test('a problem is written as RFC 9457 says, with its own members', () => {
  const problem = new Problem('resume_differs', 'Rows 1 to 2 differ.', { members: { from: 1, to: 2 } });
  expect(JSON.parse(problemBody(problem))).toEqual({
    type: 'urn:pinegate:problem:resume_differs',
    title: 'The resumed upload differs from what was received',
    status: 422,
    code: 'resume_differs',
    detail: 'Rows 1 to 2 differ.',
    from: 1,
    to: 2,
  });
});

test('an error that nobody foresaw says nothing about itself', () => {
  const problem = problemOf(new Error('password=hunter2 at /srv/app.ts:1'));
  expect(problem.status).toBe(500);
  expect(problemBody(problem)).not.toMatch(/hunter2|srv/);
});

test.each([
  ['a command that timed out', new Error('Command timed out'), 'unavailable'],
  ['a closed connection', new Error('Connection is closed.'), 'unavailable'],
  ['a refused connection', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'unavailable'],
  ['a Redis that loads', Object.assign(new Error('LOADING'), { reply: 'LOADING' }), 'unavailable'],
  ['a full Redis', Object.assign(new Error('OOM'), { reply: 'OOM' }), 'storage_full'],
  ['a broken script', Object.assign(new Error('ERR'), { reply: 'ERR' }), 'internal'],
])('%s is answered as %s', (_what, error, code) => {
  expect(problemOf(error).code).toBe(code);
});

test('a cursor comes back as it was, and anything else is refused', () => {
  fc.assert(fc.property(fc.string(), (text) => decodeCursor(encodeCursor(text) ?? undefined) === text));
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        expect(encodeCursor(decodeCursor(text))).toBe(text);
      } catch (error) {
        expect(error).toMatchObject({ code: 'invalid_cursor' });
      }
    }),
  );
});

test('ids of version 7 have its form and sort by time', () => {
  const ids = [1, 2_000_000_000_000, 1_700_000_000_000].map(uuidV7);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  expect([...ids].sort()).toEqual([ids[0], ids[2], ids[1]]);
});
