import { chmodSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, isExecutable, makeDir, run } from './commands.mjs';
import { Problem, say } from './problem.mjs';

// Where @pinegate/runtime looks by itself; a redis-server elsewhere gets a link in .tools.
const USUAL_DIRS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin', '/opt/homebrew/bin'];
const ADMIN_PATH = '/usr/local/sbin:/usr/sbin:/sbin';

const HOW_TO =
  'redis-server was not found: install it (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis; ' +
  'Windows: use WSL), or set REDIS_URL to a Redis of version 6.2 or later.';

/**
 * Makes sure that there is a redis-server: one on PATH, one in the tools, or a new one from Debian's packages.
 * @param {string} tools
 * @param {NodeJS.ProcessEnv} env
 */
export function bringRedis(tools, env) {
  const own = join(tools, 'redis', 'bin', 'redis-server');
  if (isExecutable(own)) return;
  const found = findOnPath('redis-server', env.PATH ?? '');
  if (found !== null) return linkUnusual(found, own);
  if (findOnPath('apt-get', env.PATH ?? '') === null || findOnPath('dpkg', env.PATH ?? '') === null)
    throw new Problem(HOW_TO);
  if (process.getuid?.() === 0) installAsRoot(env);
  else unpackAsUser(tools, env);
}

/**
 * @param {string} found
 * @param {string} own
 */
function linkUnusual(found, own) {
  if (USUAL_DIRS.some((dir) => found === join(dir, 'redis-server'))) return;
  makeDir(join(own, '..'));
  rmSync(own, { force: true });
  symlinkSync(found, own);
}

/** @param {NodeJS.ProcessEnv} env */
function installAsRoot(env) {
  say('redis-server not found: installing it with apt-get');
  const aptEnv = { ...env, PATH: `${env.PATH}:${ADMIN_PATH}`, DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update'], { env: aptEnv });
  run('apt-get', ['install', '-y', '--no-install-recommends', 'redis-server'], { env: aptEnv });
}

/**
 * Unpacks Debian's packages into the tools, without installing anything.
 * @param {string} tools
 * @param {NodeJS.ProcessEnv} env
 */
function unpackAsUser(tools, env) {
  say('redis-server not found: unpacking it from Debian packages into .tools/redis');
  makeDir(tools);
  const work = mkdtempSync(join(tools, '.unpack-'));
  try {
    const aptEnv = { ...env, PATH: `${env.PATH}:${ADMIN_PATH}` };
    const apt = privateApt(work);
    run('apt-get', [...apt, 'update'], { env: aptEnv });
    const packages = missingPackages(
      run('apt-get', [...apt, '-s', '--no-install-recommends', 'install', 'redis-server'], { env: aptEnv }),
    );
    const debs = makeDir(join(work, 'debs'));
    run('apt-get', [...apt, 'download', ...packages], { cwd: debs, env: aptEnv });
    const root = makeDir(join(work, 'redis', 'root'));
    for (const deb of readdirSync(debs)) run('dpkg', ['-x', join(debs, deb), root], { env: aptEnv });
    writeWrapper(join(work, 'redis', 'bin'));
    run(join(work, 'redis', 'bin', 'redis-server'), ['--version'], { env: aptEnv });
    rmSync(join(tools, 'redis'), { recursive: true, force: true });
    renameSync(join(work, 'redis'), join(tools, 'redis'));
  } catch (error) {
    throw new Problem(`${HOW_TO}\n(${error instanceof Error ? error.message : error})`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * apt-get options that keep its lists and cache in a directory of ours: the machine's belong to root.
 * @param {string} work
 */
function privateApt(work) {
  makeDir(join(work, 'lists', 'partial'));
  makeDir(join(work, 'cache', 'archives', 'partial'));
  return [
    '-o',
    `Dir::State::lists=${join(work, 'lists')}`,
    '-o',
    `Dir::Cache=${join(work, 'cache')}`,
    '-o',
    'Debug::NoLocking=1',
  ];
}

/**
 * The packages that a simulated install of redis-server would bring, from apt-get's `Inst name [old] (new …)` lines.
 * @param {string} simulation
 */
export function missingPackages(simulation) {
  const names = [...simulation.matchAll(/^Inst (\S+)/gm)].map((match) => String(match[1]));
  // Installed but hidden from PATH, they are in no simulation.
  return [...new Set(['redis-server', 'redis-tools', ...names])];
}

/** @param {string} bin */
function writeWrapper(bin) {
  const file = join(makeDir(bin), 'redis-server');
  writeFileSync(
    file,
    `#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/../root
for dir in "$root"/usr/lib/*-linux-gnu* "$root"/lib/*-linux-gnu* "$root"/usr/lib; do
  [ -d "$dir" ] && LD_LIBRARY_PATH="$dir\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
done
export LD_LIBRARY_PATH
exec "$root/usr/bin/redis-server" "$@"
`,
  );
  chmodSync(file, 0o755);
}
