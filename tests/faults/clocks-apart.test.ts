import { afterAll, beforeAll, expect, test } from 'vitest';
import { contestedRows } from './contested.ts';
import { type FaultStack, openFaultStack } from './open-fault-stack.ts';

const MINUTE_MS = 60_000;
const ahead = (minutes: number) => ({
  NODE_OPTIONS: '--import=./tests/stack/shift-clock.ts',
  CLOCK_OFFSET_MS: String(minutes * MINUTE_MS),
});

let stack: FaultStack;

beforeAll(async () => {
  // One worker runs with the api's clock, five minutes ahead.
  stack = await openFaultStack('clocks-apart', { env: ahead(5) });
  await stack.startWorker({ env: ahead(15) });
  await stack.startWorker({ env: ahead(-5) });
  await stack.sandbox('POST', '/__sandbox/configure', { latency: { uniform: [20, 200] }, faults: { resetAfter: 0.1 } });
});
afterAll(() => stack?.stop());

test('with the clocks of the processes up to twenty minutes apart every access is right, and both workers work', async () => {
  const rows = contestedRows('clocks', 20, 120);
  await stack.sendBatch(rows);
  for (const { script, username, change } of rows.slice(0, 10)) await stack.send(script, username, change);
  await stack.expectRight();
  const [, ahead15 = 0, behind5 = 0] = stack.workers.map(({ lines }) => Date.parse(firstTime(lines)));
  expect(ahead15 - behind5).toBeGreaterThan(10 * MINUTE_MS);
});

/** The time that a process believes in. */
function firstTime(lines: readonly string[]): string {
  return JSON.parse(lines.find((line) => line.startsWith('{')) ?? '{}').time;
}
