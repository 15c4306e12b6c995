import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problem, say } from './problem.mjs';
import { runToEnd } from './run-to-end.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Tally */

const STATIC_CHECKS = ['lint', 'types', 'unused'];
/** The smallest run of every bench: none may rot. */
const LAST_CHECKS = ['performance'];
const VITEST_RUNS = [['unit', 'integration'], ['deploy'], ['e2e'], ['faults'], ['browser'], ['storm']];

/** The steps by the names that `--only=a,b` takes, in their order. */
export const STEPS = [...STATIC_CHECKS, ...VITEST_RUNS.flat(), ...LAST_CHECKS];

/**
 * Runs every check and every test to the end, whatever fails, and sums them up.
 * @param {string} root
 * @param {{ node: string, pnpm: string }} tools
 * @param {NodeJS.ProcessEnv} env
 * @param {readonly string[]} args `--only=unit,e2e` leaves out all other steps; the rest is passed on to vitest
 * @returns {Promise<Tally>}
 */
export async function runChecks(root, tools, env, args) {
  /** @type {Tally[]} */
  const tallies = [];
  const { wanted, rest } = chooseSteps(args);
  const runScripts = async (/** @type {readonly string[]} */ names) => {
    for (const name of names.filter(wanted)) {
      say(`pnpm ${name}`);
      const { code } = await runToEnd(spawn(tools.pnpm, ['run', name], { cwd: root, env, stdio: 'inherit' }));
      tallies.push({ passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 });
    }
  };
  await runScripts(STATIC_CHECKS);
  for (const projects of VITEST_RUNS.map((names) => names.filter(wanted)).filter((names) => names.length > 0)) {
    say(`vitest ${projects.join(', ')}`);
    tallies.push(await runVitest(root, tools.node, env, projects, rest));
  }
  await runScripts(LAST_CHECKS);
  return sum(tallies);
}

/**
 * @param {readonly string[]} args
 * @returns {{ wanted: (step: string) => boolean, rest: string[] }}
 */
export function chooseSteps(args) {
  const only = args.filter((arg) => arg.startsWith('--only=')).flatMap((arg) => arg.slice('--only='.length).split(','));
  const unknown = only.filter((step) => !STEPS.includes(step));
  if (unknown.length > 0) throw new Problem(`there is no step ${unknown.join(', ')}: there are ${STEPS.join(', ')}`);
  return {
    wanted: (step) => only.length === 0 || only.includes(step),
    rest: args.filter((arg) => !arg.startsWith('--only=')),
  };
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
