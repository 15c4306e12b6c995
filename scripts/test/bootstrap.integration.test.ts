import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess } from '@pinegate/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findOnPath, run, toolEnvironment } from '../bootstrap/commands.mjs';
import { installDependencies } from '../bootstrap/dependencies.mjs';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pinegate-bootstrap-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function executable(name: string, text: string): string {
  writeFileSync(join(dir, name), text);
  chmodSync(join(dir, name), 0o755);
  return join(dir, name);
}

it('says how it is used', async () => {
  const child = await startProcess({ args: [path('../bootstrap.mjs'), 'fly'] });
  expect(await child.exited).toMatchObject({ code: 1 });
  expect(child.lines).toEqual([
    '[bootstrap] usage: node scripts/bootstrap.mjs start|test|load|tools|monitor [arguments]',
  ]);
});

it('passes a Ctrl-C that arrives twice on once', async () => {
  const relay = await startProcess({ args: [path('fixtures/relay.mjs'), '60000'], readyLine: 'child' });
  relay.signal('SIGINT');
  await relay.line('got SIGINT');
  relay.signal('SIGTERM');
  process.kill(Number(relay.lines[0]?.split(' ')[1]), 'SIGKILL');
  expect(await relay.exited).toEqual({ code: 137, signal: null });
  expect(relay.lines.slice(1)).toEqual(['got SIGINT']);
});

it('passes a second signal on when it is one, and ends with the code of the child', async () => {
  const relay = await startProcess({ args: [path('fixtures/relay.mjs'), '0'], readyLine: 'child' });
  relay.signal('SIGINT');
  await relay.line('got SIGINT');
  relay.signal('SIGTERM');
  expect(await relay.exited).toEqual({ code: 5, signal: null });
});

it('finds executables only, in the order of PATH', () => {
  mkdirSync(join(dir, 'tool'));
  expect(findOnPath('tool', dir)).toBeNull();
  rmSync(join(dir, 'tool'), { recursive: true });
  const tool = executable('tool', '');
  expect(findOnPath('tool', ['/nowhere', dir].join(delimiter))).toBe(tool);
});

it('keeps a home that can be written to, and gives one where there is none', () => {
  const own = join(dir, 'home');
  expect(toolEnvironment({ HOME: dir, PATH: '/bin' }, ['/tools'], own)).toEqual({ HOME: dir, PATH: '/tools:/bin' });
  expect(toolEnvironment({ PATH: '/bin' }, [], own).HOME).toBe(own);
  expect(toolEnvironment({ HOME: '/proc/none', PATH: '/bin' }, [], own).HOME).toBe(own);
});

it('shows what a failing command said', () => {
  const failing = executable('failing', '#!/bin/sh\necho out; echo "the reason" >&2; exit 3\n');
  expect(() => run(failing, ['now'])).toThrow(/failing now" failed \(3\):\nout\nthe reason/);
});

it('installs the dependencies only when the lock file has changed', () => {
  const pnpm = executable('pnpm', `#!/bin/sh\necho "$@" >> ${dir}/calls\nmkdir -p node_modules\n`);
  const calls = () =>
    run('cat', [join(dir, 'calls')])
      .trim()
      .split('\n');
  const install = () => installDependencies(dir, { node: process.execPath, pnpm }, { PATH: '/usr/bin:/bin' });
  writeFileSync(join(dir, 'pnpm-lock.yaml'), 'a');
  install();
  install();
  expect(calls()).toEqual(['install --frozen-lockfile --reporter=append-only']);
  writeFileSync(join(dir, 'pnpm-lock.yaml'), 'b');
  install();
  expect(calls()).toHaveLength(2);
});
