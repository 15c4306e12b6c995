import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { gatherLines } from '../src/gather-lines.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function open() {
  const pieces: string[] = [];
  const stream = gatherLines({ write: (piece) => void pieces.push(piece) });
  const messages = () =>
    pieces.map((piece) =>
      piece
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).msg),
    );
  return { log: pino({ base: null }, stream), pieces, messages };
}

test('lines that come shortly after one another are written together', () => {
  const { log, messages } = open();
  log.info('one');
  log.info('two');
  expect(messages()).toEqual([]);
  vi.advanceTimersByTime(50);
  expect(messages()).toEqual([['one', 'two']]);
  log.info('three');
  vi.advanceTimersByTime(50);
  expect(messages()).toEqual([['one', 'two'], ['three']]);
});

test.each(['warn', 'error', 'fatal'] as const)(
  'a line of level %s is written at once, after all before it',
  (level) => {
    const { log, messages } = open();
    log.info('before');
    log[level]('this');
    expect(messages()).toEqual([['before', 'this']]);
    log.info('after');
    expect(messages()).toHaveLength(1);
  },
);

test('no piece is longer than what a pipe takes at once, unless one line is', () => {
  const { log, pieces, messages } = open();
  for (let i = 0; i < 100; i++) log.info(`${i} ${'ü'.repeat(80)}`);
  log.info('x'.repeat(5_000));
  vi.advanceTimersByTime(50);
  const long = pieces.filter((piece) => Buffer.byteLength(piece) > 4_096);
  expect(long.map((piece) => piece.split('\n').length - 1)).toEqual([1]);
  expect(messages().flat()).toHaveLength(101);
});
