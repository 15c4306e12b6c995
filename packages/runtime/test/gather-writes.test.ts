import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { gatherWrites } from '../src/gather-writes.ts';

function openSink() {
  const calls: string[][] = [];
  const sink = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      calls.push([chunk]);
      done();
    },
    writev(chunks, done) {
      calls.push(chunks.map(({ chunk }) => chunk));
      done();
    },
  });
  gatherWrites(sink);
  return { sink, calls };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('what is written in one turn goes out together and in order, what its promises write included', async () => {
  const { sink, calls } = openSink();
  sink.write('a');
  sink.write('b');
  void Promise.resolve().then(() => sink.write('c'));
  expect(calls).toEqual([]);
  await nextTurn();
  expect(calls.flat()).toEqual(['a', 'b', 'c']);
  expect(calls.length).toBeLessThanOrEqual(2);
  sink.write('d');
  await nextTurn();
  expect(calls.at(-1)).toEqual(['d']);
});

test('what promises of a turn write goes out together', async () => {
  const { sink, calls } = openSink();
  const answered = Promise.resolve();
  for (const text of ['a', 'b', 'c']) void answered.then(() => sink.write(text));
  await nextTurn();
  expect(calls).toEqual([['a', 'b', 'c']]);
});

test('the end of the stream sends what has gathered, and a destroyed one takes it quietly', async () => {
  const { sink, calls } = openSink();
  sink.write('a');
  sink.end('b');
  await nextTurn();
  expect(calls.flat()).toEqual(['a', 'b']);
  const { sink: broken, calls: none } = openSink();
  broken.write('a');
  broken.destroy();
  await nextTurn();
  expect(none).toEqual([]);
});
