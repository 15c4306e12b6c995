import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import dockerignore from '@balena/dockerignore';
import { type Instruction, readDockerfile, type Stage } from './read-dockerfile.ts';

const run = promisify(execFile);

/** Somebody without rights, where the tests may choose: root runs everything as `nobody`. */
export const UNPRIVILEGED = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** What an image would hold and run, laid out in a directory. */
export interface Image {
  /** Stands for the image's WORKDIR. */
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly healthCheck: readonly string[];
  readonly ports: readonly number[];
  readonly user: string | null;
}

/** Does in `work` what `docker build` would do with the Dockerfile of `root`, RUN lines as the unprivileged user. */
export async function buildImages(root: string, work: string): Promise<ReadonlyMap<string, Image>> {
  const context = join(work, 'context');
  copyContext(root, context);
  const home = join(work, 'home');
  const bin = join(work, 'bin');
  mkdirSync(home, { recursive: true });
  mkdirSync(bin, { recursive: true });
  // The base image's Node; the tests' own may lie where nobody else may look.
  copyFileSync(process.execPath, join(bin, 'node'));
  chmodSync(join(bin, 'node'), 0o755);
  giveAway(home);
  const images = new Map<string, Image>();
  for (const stage of readDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'))) {
    images.set(stage.name, await buildStage(stage, { images, context, home, bin, dir: join(work, stage.name) }));
  }
  return images;
}

interface Build {
  readonly images: ReadonlyMap<string, Image>;
  readonly context: string;
  readonly home: string;
  readonly bin: string;
  readonly dir: string;
}

async function buildStage(stage: Stage, build: Build): Promise<Image> {
  const base = build.images.get(stage.from);
  if (base) execFileSync('cp', ['-a', base.dir, build.dir]);
  else mkdirSync(build.dir, { recursive: true });
  let image: Image = base
    ? { ...base, dir: build.dir }
    : { dir: build.dir, env: {}, command: [], healthCheck: [], ports: [], user: null };
  for (const instruction of stage.instructions) image = await apply(instruction, image, build);
  return image;
}

async function apply({ keyword, flags, rest }: Instruction, image: Image, build: Build): Promise<Image> {
  switch (keyword) {
    case 'WORKDIR':
    case 'STOPSIGNAL':
      return image;
    case 'ENV':
      return { ...image, env: { ...image.env, ...Object.fromEntries(rest.split(/\s+/).map(pair)) } };
    case 'EXPOSE':
      return { ...image, ports: rest.split(/\s+/).map(Number) };
    case 'USER':
      return { ...image, user: rest };
    case 'CMD':
      return { ...image, command: JSON.parse(rest) };
    case 'HEALTHCHECK':
      return { ...image, healthCheck: JSON.parse(rest.replace(/^CMD\s+/, '')) };
    case 'COPY':
      copy(flags, rest, image, build);
      return image;
    case 'RUN':
      await runLine(rest, image, build);
      return image;
    default:
      throw new Error(`the test knows no ${keyword}`);
  }
}

function pair(text: string): [string, string] {
  const [name = '', value = ''] = text.split('=', 2);
  return [name, value];
}

function copy(flags: readonly string[], rest: string, image: Image, { images, context }: Build): void {
  const from = flags.find((flag) => flag.startsWith('--from='))?.slice('--from='.length);
  const source = from === undefined ? context : images.get(from)?.dir;
  if (source === undefined) throw new Error(`COPY from ${from}, which is no stage`);
  const words = rest.split(/\s+/);
  const target = words.pop() ?? '.';
  for (const word of words) {
    const path = word.replace(/^\/app\//, '');
    const into =
      target.endsWith('/') || words.length > 1
        ? join(image.dir, target, path.split('/').at(-1) ?? '')
        : join(image.dir, target);
    const found = join(source, path);
    const isDirectory = statSync(found).isDirectory();
    mkdirSync(isDirectory ? into : dirname(into), { recursive: true });
    // Of a directory Docker copies what is in it, into what may be there already.
    execFileSync('cp', ['-a', isDirectory ? `${found}/.` : found, into]);
  }
}

async function runLine(line: string, { dir, env }: Image, { home, bin }: Build): Promise<void> {
  giveAway(dir);
  const path = `${bin}:${process.env.PATH}`;
  await run('/bin/sh', ['-c', line], {
    cwd: dir,
    env: { ...env, PATH: path, HOME: home, npm_config_globalconfig: machineConfig() },
    maxBuffer: 16 * 1024 * 1024,
    ...UNPRIVILEGED,
  });
}

// Never part of a context, and large.
const SKIPPED = new Set(['node_modules', '.git', '.tools', '.data']);

/** Where npm keeps what holds for this machine, as its certificates: under a Node of its own it would look beside that. */
function machineConfig(): string {
  const npm = realpathSync(execFileSync('which', ['npm']).toString().trim());
  return resolve(npm, '../../../../../etc/npmrc');
}

/** What .dockerignore lets through. */
function copyContext(root: string, context: string): void {
  const ignore = dockerignore.default({ ignorecase: false }).add(readFileSync(join(root, '.dockerignore'), 'utf8'));
  for (const file of ignore.filter([...filesBelow(root, '')])) cpSync(join(root, file), join(context, file));
}

function* filesBelow(root: string, dir: string): Generator<string> {
  for (const entry of readdirSync(join(root, dir), { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (SKIPPED.has(entry.name)) continue;
    if (entry.isDirectory()) yield* filesBelow(root, path);
    else if (entry.isFile()) yield path;
  }
}

function giveAway(dir: string): void {
  if ('uid' in UNPRIVILEGED) execFileSync('chown', ['-R', `${UNPRIVILEGED.uid}:${UNPRIVILEGED.gid}`, dir]);
}

/** Nothing in it can be written any more, as with a read-only root file system. */
export function makeReadOnly(dir: string): void {
  if ('uid' in UNPRIVILEGED) execFileSync('chown', ['-R', '0:0', dir]);
  execFileSync('chmod', ['-R', 'a-w,a+rX', dir]);
}
