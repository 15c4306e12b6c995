import { expect, test } from 'vitest';
import { createChunkGate } from '../src/create-chunk-gate.ts';

const never = new AbortController().signal;

/** Enters, and says whether it got in. */
function enter(gate: ReturnType<typeof createChunkGate>, signal = never) {
  const state: { in: boolean | null } = { in: null };
  const done = gate.enter(signal).then((entered) => {
    state.in = entered;
  });
  return { state, done };
}
const turns = () => new Promise<void>((resolve) => setImmediate(resolve));

test('lets the next chunk in when few keys of the last one lack a permit', async () => {
  const gate = createChunkGate(() => 10);
  await gate.enter(never);
  gate.taken(50);
  const next = enter(gate);
  gate.permitted(40);
  await turns();
  expect(next.state.in).toBeNull();
  gate.permitted(1);
  await next.done;
  expect(next.state.in).toBe(true);
});

test('lets one in at a time: a chunk that is about to be taken counts', async () => {
  const gate = createChunkGate(() => 10);
  const [first, second] = [enter(gate), enter(gate)];
  await first.done;
  await turns();
  expect(second.state.in).toBeNull();
  gate.taken(0);
  await second.done;
  expect(second.state.in).toBe(true);
});

test('stays open without a limit, and keeps one chunk going under any', async () => {
  const free = createChunkGate(() => Number.POSITIVE_INFINITY);
  for (let i = 0; i < 100; i++) expect(await free.enter(never)).toBe(true);
  const slow = createChunkGate(() => 0.2);
  expect(await slow.enter(never)).toBe(true);
});

test('lets go whoever waits when it is aborted', async () => {
  const gate = createChunkGate(() => 1);
  await gate.enter(never);
  gate.taken(50);
  const abort = new AbortController();
  const [given, next] = [enter(gate, abort.signal), enter(gate)];
  abort.abort();
  await given.done;
  expect(given.state.in).toBe(false);
  gate.permitted(50);
  await next.done;
  expect(next.state.in).toBe(true);
});
