import { afterAll, beforeAll, expect, test } from 'vitest';
import { contestedRows } from './contested.ts';
import { type FaultStack, openFaultStack } from './open-fault-stack.ts';

const BLOCK_MS = 10_000;

let stack: FaultStack;

beforeAll(async () => {
  const env = { NODE_OPTIONS: '--import=./tests/stack/block-loop.ts', BLOCK_MS: String(BLOCK_MS) };
  stack = await openFaultStack('event-loop-blocked', { workers: 2, env });
  await stack.sandbox('POST', '/__sandbox/configure', { latency: { uniform: [20, 200] } });
});
afterAll(() => stack?.stop());

test('a worker whose event loop stands still past lock and lease does no harm, and works again', async () => {
  await stack.sendBatch(contestedRows('blocked', 30, 200));
  await stack.write((w) => w.username.startsWith('blocked'), 'the first writes');
  const [worker] = stack.workers;
  if (!worker) throw new Error('no worker');
  // Its requests stay open meanwhile and may meet those of the other worker.
  const unblocked = stack.frozen();
  worker.signal('SIGWINCH');
  await worker.line('event loop blocked');
  await stack.settled();
  unblocked();
  await stack.expectRight();

  await stack.workers[1]?.stop();
  await stack.sendBatch(contestedRows('after', 10, 30));
  await stack.expectRight();
  expect(worker.lines.some((line) => line.includes('"level":"fatal"'))).toBe(false);
});
