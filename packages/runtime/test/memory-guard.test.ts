import { expect, test } from 'vitest';
import { evictsKeys, memoryUse } from '../src/memory-guard.ts';

test('the share of memory is that of maxmemory, and nothing where there is no limit', () => {
  expect(memoryUse('used_memory:90\r\nmaxmemory:100\r\n')).toBe(0.9);
  expect(memoryUse('used_memory:90\r\nmaxmemory:0\r\n')).toBe(0);
});

test('a Redis that makes room by itself is told from one that does not', () => {
  expect(evictsKeys('maxmemory_policy:allkeys-lru\r\n')).toBe(true);
  expect(evictsKeys('maxmemory_policy:noeviction\r\n')).toBe(false);
  expect(evictsKeys('')).toBe(false);
});
