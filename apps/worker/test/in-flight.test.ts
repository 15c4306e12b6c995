import { expect, test } from 'vitest';
import { createInFlight } from '../src/in-flight.ts';

const never = new AbortController().signal;
const bulk = { bulk: true, signal: never };
const single = { bulk: false, signal: never };

test('gives as much room as there is, and waits for more', async () => {
  const room = createInFlight(3).open();
  expect(await room.enter(2, single)).toBe(2);
  expect(await room.enter(5, single)).toBe(1);
  const next = room.enter(5, single);
  room.leave(2, false);
  expect(await next).toBe(2);
});

test('room that is left in one turn of the event loop is given together', async () => {
  const room = createInFlight(4).open();
  await room.enter(4, single);
  const next = room.enter(4, single);
  room.leave(1, false);
  room.leave(1, false);
  await null;
  room.leave(2, false);
  expect(await next).toBe(4);
});

test('lets a waiter go when it is aborted, and keeps the room for others', async () => {
  const room = createInFlight(1).open();
  await room.enter(1, bulk);
  const abort = new AbortController();
  const given = room.enter(1, { bulk: true, signal: abort.signal });
  abort.abort();
  expect(await given).toBe(0);
  room.leave(1, true);
  expect(await room.enter(1, bulk)).toBe(1);
});

test('leaves some room for the others when one account hangs', async () => {
  const gate = createInFlight(80);
  const [slow, other] = [gate.open(), gate.open()];
  expect(await slow.enter(100, bulk)).toBe(70);
  expect(await other.enter(5, bulk)).toBe(5);
});

test('an account alone may use all of it, but for what its bulk leaves to single operations', async () => {
  expect(await createInFlight(80).open().enter(100, single)).toBe(80);
  const room = createInFlight(80).open();
  expect(await room.enter(100, bulk)).toBe(75);
  expect(await room.enter(10, single)).toBe(5);
});

test('gives what comes free to the account with the least in hand', async () => {
  const gate = createInFlight(8);
  const [slow, other] = [gate.open(), gate.open()];
  await slow.enter(7, single);
  await other.enter(1, single);
  const order: string[] = [];
  const first = slow.enter(1, single).then(() => order.push('slow'));
  const second = other.enter(1, single).then(() => order.push('other'));
  slow.leave(1, false);
  await second;
  expect(order).toEqual(['other']);
  slow.leave(2, false);
  await first;
});

test('within an account singles go before bulk', async () => {
  const room = createInFlight(1).open();
  await room.enter(1, bulk);
  const order: string[] = [];
  const later = room.enter(1, bulk).then(() => order.push('bulk'));
  const sooner = room.enter(1, single).then(() => order.push('single'));
  room.leave(1, true);
  await sooner;
  room.leave(1, true);
  await later;
  expect(order).toEqual(['single', 'bulk']);
});

test('an account that is closed lets its waiters go and its room come back', async () => {
  const gate = createInFlight(1);
  const [gone, other] = [gate.open(), gate.open()];
  await gone.enter(1, bulk);
  const waiting = gone.enter(1, bulk);
  gone.close();
  expect(await waiting).toBe(0);
  const next = other.enter(1, bulk);
  gone.leave(1, true);
  expect(await next).toBe(1);
});
