import type { Redis } from '@pinegate/runtime';
import { createLatch } from '@pinegate/testing';
import { expect, test } from 'vitest';
import { directoryNames } from '../src/directory/directory-names.ts';
import { buildSnapshot } from '../src/directory/snapshot.ts';

/** A snapshot whose reads are answered by the test, in the order they were asked. */
function openSnapshot() {
  const reads: { known: unknown; answer: (revision: string, ...routes: string[]) => void; fail: () => void }[] = [];
  const run = (_name: string, _keys: readonly string[], args: readonly (string | number)[]) => {
    const reply = createLatch<unknown>('reply');
    reads.push({
      known: args[0],
      answer: (revision, ...routes) => reply.open([revision, [], routes]),
      fail: () => reply.open(Promise.reject(new Error('no connection'))),
    });
    return reply.wait();
  };
  const snapshot = buildSnapshot({ redis: {} as Redis, run }, directoryNames('ns'), () => 0);
  return { snapshot, reads };
}

test('a reload does not take the answer of a read that began before it', async () => {
  const { snapshot, reads } = openSnapshot();
  const early = snapshot.state(0);
  const late = snapshot.reload();
  expect(reads).toHaveLength(1);
  reads[0]?.answer('1', 'old', 'acme:1');
  expect((await early).routes.has('old')).toBe(true);
  await Promise.resolve();
  expect(reads[1]?.known).toBe('1');
  reads[1]?.answer('2', 'new', 'acme:2');
  expect([...(await late).routes]).toEqual([['new', { account: 'acme', index: 2 }]]);
});

test('a read that fails is told to those who waited for it, and the next one reads again', async () => {
  const { snapshot, reads } = openSnapshot();
  const first = snapshot.state(0);
  const second = snapshot.reload();
  reads[0]?.fail();
  await expect(first).rejects.toThrow('no connection');
  reads[1]?.answer('1');
  expect((await second).routes.size).toBe(0);
});
