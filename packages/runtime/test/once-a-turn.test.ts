import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { onceATurn } from '../src/index.ts';

it('calls once for all calls of a turn, and again for those of a later one', async () => {
  let runs = 0;
  const soon = onceATurn(() => {
    runs += 1;
  });
  soon();
  await null;
  soon();
  expect(runs).toBe(0);
  await turn();
  expect(runs).toBe(1);
  soon();
  await turn();
  expect(runs).toBe(2);
});
