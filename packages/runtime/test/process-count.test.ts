import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { processCountSchema } from '../src/index.ts';

it('is 1 where nothing is said', () => {
  expect(processCountSchema.parse(undefined)).toBe(1);
});

it('reads a number, and auto as one for each core', () => {
  expect(processCountSchema.parse('8')).toBe(8);
  expect(processCountSchema.parse('auto')).toBe(availableParallelism());
});

it.each(['0', '-1', '1.5', 'all', '257', ''])('refuses %j', (text) => {
  expect(processCountSchema.safeParse(text).success).toBe(false);
});
