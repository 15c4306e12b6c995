import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problem, say } from './problem.mjs';
import { runToEnd } from './run-to-end.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number, failures: readonly string[] }} Tally failures: one text each */

const STATIC_CHECKS = ['lint', 'types', 'unused'];
/** The smallest run of every bench: none may rot. */
const LAST_CHECKS = ['performance'];
/** @type {Tally} */
const NOTHING = { passed: 0, failed: 0, skipped: 0, failures: [] };
/** Of the message of a failed test, so that what failed can be read where only the end of a log is kept. */
const MESSAGE_LINES = 12;
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
      tallies.push(code === 0 ? { ...NOTHING, passed: 1 } : { ...NOTHING, failed: 1, failures: [`pnpm ${name}`] });
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
    return tallyOf(readReport(report), code === 0, `vitest ${projects.join(', ')}`);
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
 * @typedef {{ status: string, fullName: string, failureMessages?: readonly string[] | null }} TestReport
 * @typedef {{ name: string, status: string, message: string, assertionResults: readonly TestReport[] }} FileReport
 */

/**
 * Counts of vitest's JSON report. What fails outside a test (a file that does not load, an error nobody caught, a leak)
 * counts as one failure.
 * @param {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number,
 *   testResults: readonly FileReport[] } | null} report
 * @param {boolean} succeeded
 * @param {string} step
 * @returns {Tally}
 */
export function tallyOf(report, succeeded, step) {
  const passed = report?.numPassedTests ?? 0;
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  const failures = (report?.testResults ?? []).flatMap(failuresOf);
  if (succeeded) return { passed, failed: 0, skipped, failures };
  if (failures.length === 0) failures.push(`${step}: failed outside of its tests`);
  return { passed, failed: Math.max(1, report?.numFailedTests ?? 0), skipped, failures };
}

/** @param {FileReport} file */
function failuresOf({ name, status, message, assertionResults }) {
  const failed = assertionResults.filter((test) => test.status === 'failed');
  if (failed.length === 0) return status === 'failed' ? [describeFailure(name, message)] : [];
  return failed.map((test) => describeFailure(`${name}: ${test.fullName}`, (test.failureMessages ?? []).join('\n')));
}

/**
 * @param {string} what
 * @param {string} message
 */
function describeFailure(what, message) {
  const lines = message.split('\n').filter((line) => !/\/node_modules\/|<anonymous>/.test(line));
  return [what, ...lines.slice(0, MESSAGE_LINES).map((line) => `  ${line}`)].join('\n');
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
    failures: [...a.failures, ...b.failures],
  });
  return tallies.reduce(add, NOTHING);
}

/**
 * What failed, then the counts on the last line.
 * @param {Tally} tally
 */
export function describeTally({ passed, failed, skipped, failures }) {
  const counts = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  return [...failures.map((failure) => `failed: ${failure}\n`), counts].join('\n');
}
