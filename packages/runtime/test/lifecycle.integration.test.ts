import { fileURLToPath } from 'node:url';
import { startProcess } from '@pinegate/testing';
import { expect, it } from 'vitest';

const fixture = fileURLToPath(new URL('./fixtures/signals.ts', import.meta.url));
const start = (...args: string[]) => startProcess({ args: [fixture, ...args], readyLine: '"ready"' });

it.each(['SIGTERM', 'SIGINT'] as const)('closes on %s and exits with 0', async (signal) => {
  const child = await start('quick');
  child.signal(signal);
  expect(await child.exited).toEqual({ code: 0, signal: null });
  expect(child.lines.join('\n')).toContain('"closed"');
});

it('exits with 1 at once on a second signal', async () => {
  const child = await start('deaf', '60000');
  child.signal('SIGTERM');
  await child.line('"draining"');
  child.signal('SIGTERM');
  expect(await child.exited).toEqual({ code: 1, signal: null });
});

it('exits with 1 when a closer misses the deadline', async () => {
  const child = await start('deaf', '10');
  child.signal('SIGTERM');
  expect(await child.exited).toEqual({ code: 1, signal: null });
  expect(child.lines.join('\n')).toContain('deaf was not closed before the deadline');
});

it('exits with 1 when a closer fails', async () => {
  const child = await start('fail');
  child.signal('SIGTERM');
  expect(await child.exited).toEqual({ code: 1, signal: null });
});

it('closes in order and exits with 1 after an error nobody caught', async () => {
  const child = await startProcess({ args: [fixture, 'crash'] });
  expect(await child.exited).toEqual({ code: 1, signal: null });
  expect(child.lines.join('\n')).toContain('nobody catches this');
  expect(child.lines.join('\n')).toContain('"closed"');
});
