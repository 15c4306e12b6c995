import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLifecycle, createLogger } from '../src/index.ts';

const lines: string[] = [];
const log = createLogger({ app: 'test', level: 'info', destination: { write: (line) => void lines.push(line) } });

beforeEach(() => {
  lines.length = 0;
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

it('runs closers in reverse order, each after the one before has finished', async () => {
  const lifecycle = createLifecycle(log);
  const order: string[] = [];
  for (const name of ['redis', 'pool', 'server']) {
    lifecycle.onClose(name, async () => {
      order.push(`${name} begins`);
      await Promise.resolve();
      order.push(`${name} ends`);
    });
  }
  await lifecycle.close();
  expect(order).toEqual(['server begins', 'server ends', 'pool begins', 'pool ends', 'redis begins', 'redis ends']);
});

it('closes once, however often and however close together it is told to', async () => {
  const lifecycle = createLifecycle(log);
  const closer = vi.fn();
  lifecycle.onClose('one', closer);
  await Promise.all([lifecycle.close(), lifecycle.close()]);
  await lifecycle.close();
  expect(closer).toHaveBeenCalledOnce();
});

it('goes on after a closer that fails, and logs which', async () => {
  const lifecycle = createLifecycle(log);
  const first = vi.fn();
  lifecycle.onClose('first', first);
  lifecycle.onClose('second', () => {
    throw new Error('will not');
  });
  await lifecycle.close();
  expect(first).toHaveBeenCalledOnce();
  expect(lines.join('')).toContain('"closer":"second"');
});

it('says that closing has begun before the first closer runs', async () => {
  const lifecycle = createLifecycle(log);
  let aborted = false;
  lifecycle.onClose('one', () => {
    aborted = lifecycle.closing.aborted;
  });
  expect(lifecycle.closing.aborted).toBe(false);
  await lifecycle.close();
  expect(aborted).toBe(true);
});

it('aborts the one deadline for a closer that drains, then gives up on one that does not listen', async () => {
  const lifecycle = createLifecycle(log);
  const order: string[] = [];
  lifecycle.onClose('redis', () => void order.push('redis'));
  lifecycle.onClose('deaf', () => new Promise(() => {}));
  lifecycle.onClose(
    'worker',
    (deadline) =>
      new Promise<void>((resolve) => {
        deadline.addEventListener('abort', () => {
          order.push('worker');
          resolve();
        });
      }),
  );
  const closed = lifecycle.close();
  await vi.advanceTimersByTimeAsync(60_000);
  await closed;
  expect(order).toEqual(['worker', 'redis']);
  expect(lines.join('')).toContain('deaf was not closed before the deadline');
});

it('runs a closer that an opener registers while or after everything closes', async () => {
  const lifecycle = createLifecycle(log);
  const late = vi.fn();
  lifecycle.onClose('opening', () => lifecycle.onClose('late', late));
  await lifecycle.close();
  expect(late).toHaveBeenCalledOnce();
  lifecycle.onClose('later', late);
  await lifecycle.close();
  expect(late).toHaveBeenCalledTimes(2);
});
