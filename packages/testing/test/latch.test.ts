import { expect, it } from 'vitest';
import { createLatch, randomNamespace } from '../src/index.ts';

it('releases those who waited before it opened and those who come after, with the first value', async () => {
  const latch = createLatch<number>();
  const before = latch.wait();
  expect(latch.isOpen).toBe(false);
  latch.open(1);
  latch.open(2);
  expect(await Promise.all([before, latch.wait()])).toEqual([1, 1]);
  expect(latch.isOpen).toBe(true);
});

it('names itself when it does not open', async () => {
  await expect(createLatch('the second claim').wait(1)).rejects.toThrow('the second claim did not open within 1 ms');
});

it('gives every test a namespace of its own', () => {
  const many = new Set(Array.from({ length: 1_000 }, randomNamespace));
  expect(many.size).toBe(1_000);
});
