import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Problem } from './problem.mjs';

const WINDOWS = process.platform === 'win32';

/**
 * The path of an executable, or null.
 * @param {string} name
 * @param {string} path as in PATH
 */
export function findOnPath(name, path) {
  const names = WINDOWS ? [`${name}.exe`, `${name}.cmd`] : [name];
  const files = path.split(delimiter).flatMap((dir) => (dir === '' ? [] : names.map((file) => join(dir, file))));
  return files.find(isExecutable) ?? null;
}

/** @param {string} file */
export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * Runs a command to its end and returns its standard output; its error output goes into the Problem if it fails.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, show?: boolean }} [options] show: let its output through to the terminal
 */
export function run(command, args, { cwd, env, show = false } = {}) {
  const result = spawnSync(command, args, {
    cwd,
    env: env ?? process.env,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: show ? ['ignore', 2, 2] : ['ignore', 'pipe', 'pipe'],
    // npm is a .cmd file there, which only a shell can run.
    shell: WINDOWS && command.endsWith('.cmd'),
  });
  if (result.error !== undefined) throw new Problem(`${command} cannot be run: ${result.error.message}`);
  if (result.status !== 0) {
    const output = show ? '' : `:\n${`${result.stdout}${result.stderr}`.trim().split('\n').slice(-15).join('\n')}`;
    const end = result.signal ?? result.status;
    throw new Problem(`"${[command, ...args].join(' ')}" failed (${end})${output}`);
  }
  return result.stdout ?? '';
}

/**
 * The environment for npm, pnpm and what they start: the directories of the tools first on PATH, and a home that can be
 * written to, since package managers keep caches there.
 * @param {NodeJS.ProcessEnv} env
 * @param {readonly string[]} dirs
 * @param {string} fallbackHome
 * @returns {NodeJS.ProcessEnv}
 */
export function toolEnvironment(env, dirs, fallbackHome) {
  const path = [...dirs, env.PATH ?? ''].join(delimiter);
  return isWritableDir(env.HOME) || WINDOWS
    ? { ...env, PATH: path }
    : { ...env, PATH: path, HOME: makeDir(fallbackHome) };
}

/** @param {string | undefined} dir */
function isWritableDir(dir) {
  if (dir === undefined || dir === '') return false;
  try {
    if (!existsSync(dir)) mkdirSync(dir);
    accessSync(dir, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} dir */
export function makeDir(dir) {
  mkdirSync(dir, { recursive: true });
  return dir;
}
