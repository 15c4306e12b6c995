import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { say } from './problem.mjs';
import { runToEnd } from './run-to-end.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Tally */

const STATIC_CHECKS = ['lint', 'types', 'unused'];
const VITEST_RUNS = [['unit', 'integration'], ['e2e'], ['faults']];

/**
 * Runs every check and every test to the end, whatever fails, and sums them up.
 * @param {string} root
 * @param {{ node: string, pnpm: string }} tools
 * @param {NodeJS.ProcessEnv} env
 * @param {readonly string[]} args passed on to vitest
 * @returns {Promise<Tally>}
 */
export async function runChecks(root, tools, env, args) {
  const tallies = [];
  for (const name of STATIC_CHECKS) {
    say(`pnpm ${name}`);
    const { code } = await runToEnd(spawn(tools.pnpm, ['run', name], { cwd: root, env, stdio: 'inherit' }));
    tallies.push({ passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 });
  }
  for (const projects of VITEST_RUNS) {
    say(`vitest ${projects.join(', ')}`);
    tallies.push(await runVitest(root, tools.node, env, projects, args));
  }
  return sum(tallies);
}

/**
 * @param {string} root
 * @param {string} node
 * @param {NodeJS.ProcessEnv} env
 * @param {readonly string[]} projects
 * @param {readonly string[]} args
 */
async function runVitest(root, node, env, projects, args) {
  const dir = mkdtempSync(join(tmpdir(), 'pinegate-tests-'));
  const report = join(dir, 'report.json');
  const options = projects.flatMap((project) => ['--project', project]);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  try {
    const child = spawn(node, [vitest, 'run', ...options, ...reporters, ...args], { cwd: root, env, stdio: 'inherit' });
    const { code } = await runToEnd(child);
    return tallyOf(readReport(report), code === 0);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** @param {string} file */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/**
 * Counts of vitest's JSON report. What fails outside a test (a file that does not load, an error nobody caught, a leak)
 * counts as one failure.
 * @param {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number } | null} report
 * @param {boolean} succeeded
 * @returns {Tally}
 */
export function tallyOf(report, succeeded) {
  const passed = report?.numPassedTests ?? 0;
  const failed = report?.numFailedTests ?? 0;
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  return { passed, failed: failed === 0 && !succeeded ? 1 : failed, skipped };
}

/**
 * @param {readonly Tally[]} tallies
 * @returns {Tally}
 */
function sum(tallies) {
  const add = (/** @type {Tally} */ a, /** @type {Tally} */ b) => ({
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  });
  return tallies.reduce(add, { passed: 0, failed: 0, skipped: 0 });
}

/** @param {Tally} tally */
export function describeTally({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
