import { expect, test } from 'vitest';
import { createInFlight } from '../src/in-flight.ts';

const never = new AbortController().signal;

test('gives as much room as there is, and waits for more', async () => {
  const gate = createInFlight(3);
  expect(await gate.enter(2, never)).toBe(2);
  expect(await gate.enter(5, never)).toBe(1);
  const next = gate.enter(5, never);
  gate.leave(2);
  expect(await next).toBe(2);
});

test('lets a waiter go when it is aborted, and keeps the room for others', async () => {
  const gate = createInFlight(1);
  await gate.enter(1, never);
  const abort = new AbortController();
  const given = gate.enter(1, abort.signal);
  abort.abort();
  expect(await given).toBe(0);
  gate.leave(1);
  expect(await gate.enter(1, never)).toBe(1);
});
