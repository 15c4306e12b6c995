import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createSessionGate } from '../src/session-gate.ts';

const never = new AbortController().signal;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function openGate() {
  const gate = createSessionGate(1_000);
  gate.follow(true, 'ok');
  return gate;
}

test('lets nobody through before the account is known to be active', async () => {
  const gate = createSessionGate(1_000);
  expect(gate.open).toBe(false);
  const passed = gate.passed(never);
  gate.follow(true, 'ok');
  expect(await passed).toBe(true);
});

test('closes at a suspicion and opens when it was none', async () => {
  const gate = openGate();
  gate.suspect();
  expect(gate.open).toBe(false);
  const [passed, concluded] = [gate.passed(never), gate.concluded()];
  gate.conclude('unclear');
  expect([await passed, await concluded]).toEqual([true, 'unclear']);
});

test('stays closed when the session is dead, until the account is active again', async () => {
  const gate = openGate();
  gate.suspect();
  gate.conclude('dead');
  expect(gate.open).toBe(false);
  gate.follow(false, 'dead');
  vi.advanceTimersByTime(10_000);
  expect(gate.open).toBe(false);
  gate.follow(true, 'ok');
  expect(gate.open).toBe(true);
});

test('opens by itself when whoever asks is never heard of', async () => {
  const gate = openGate();
  gate.suspect();
  const concluded = gate.concluded();
  vi.advanceTimersByTime(1_000);
  expect(await concluded).toBe('unclear');
  expect(gate.open).toBe(true);
});

test('lets a waiter go that is aborted', async () => {
  const gate = openGate();
  gate.suspect();
  const abort = new AbortController();
  const passed = gate.passed(abort.signal);
  abort.abort();
  expect(await passed).toBe(false);
});
