import { expect, test } from 'vitest';
import { serves } from '../src/serving.ts';

const names = (prefix: string, n: number) => Array.from({ length: n }, (_, i) => `${prefix}-${i}`);
const serversOf = (account: string, workers: readonly string[], accounts = 200) =>
  workers.filter((worker) => serves(worker, account, workers, accounts));

test('up to fifty accounts every worker serves all of them', () => {
  const workers = names('w', 10);
  expect(serversOf('a', workers, 50)).toEqual(workers);
});

test('a few workers serve all accounts, however many', () => {
  expect(serversOf('a', names('w', 3), 1_000)).toHaveLength(3);
});

test('above fifty accounts three workers serve each, and the accounts spread evenly', () => {
  const workers = names('w', 10);
  const counts = new Map(workers.map((worker) => [worker, 0]));
  for (const account of names('account', 1_000)) {
    const servers = serversOf(account, workers);
    expect(servers).toHaveLength(3);
    for (const server of servers) counts.set(server, (counts.get(server) ?? 0) + 1);
  }
  for (const count of counts.values()) expect(Math.abs(count - 300)).toBeLessThan(75);
});

test('a worker that goes moves only its own accounts', () => {
  const before = names('w', 10);
  const after = before.slice(0, 9);
  for (const account of names('account', 300)) {
    const stayed = serversOf(account, before).filter((worker) => worker !== 'w-9');
    expect(serversOf(account, after)).toEqual(expect.arrayContaining(stayed));
  }
});

test('in the view of a worker that sees itself only, it serves all', () => {
  expect(serves('w-1', 'a', [], 1_000)).toBe(true);
});
