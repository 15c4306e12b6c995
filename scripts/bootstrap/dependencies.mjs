import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './commands.mjs';
import { say } from './problem.mjs';

/**
 * Installs the locked dependencies, if the lock file or Node is another than at the last time.
 * @param {string} root
 * @param {{ node: string, pnpm: string }} tools
 * @param {NodeJS.ProcessEnv} env
 */
export function installDependencies(root, tools, env) {
  const stamp = join(root, 'node_modules', '.pinegate-installed');
  const state = dependencyState(readFileSync(join(root, 'pnpm-lock.yaml')));
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return;
  say('installing the locked dependencies');
  // CI=true: without a terminal pnpm must not ask.
  run(tools.pnpm, ['install', '--frozen-lockfile', '--reporter=append-only'], {
    cwd: root,
    env: { ...env, CI: 'true' },
  });
  writeFileSync(stamp, state);
}

/** @param {Buffer} lock */
function dependencyState(lock) {
  return `${createHash('sha256').update(lock).digest('hex')} ${process.platform} ${process.arch}\n`;
}
