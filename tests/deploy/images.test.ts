import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { reservePort, startProcess, type TestProcess, waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImages, type Image, makeReadOnly, UNPRIVILEGED } from './build-images.ts';
import { readCompose, type Service } from './read-compose.ts';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../..');
const READY: Readonly<Record<string, RegExp>> = {
  redis: /Ready to accept connections/,
  sandbox: /sandbox ready/,
  api: /"msg":"ready"/,
  worker: /worker ready/,
  dashboard: /"msg":"ready"/,
};

// Without a container engine: the Dockerfile's own RUN lines in an empty directory, then each image's own command with
// the environment that docker-compose.yml gives it, as a user without rights and on files nobody can write.
describe('the images of docker-compose.yml', () => {
  const work = mkdtempSync(join(tmpdir(), 'pinegate-images-'));
  const compose = readCompose(ROOT);
  const running = new Map<string, TestProcess>();
  let images: ReadonlyMap<string, Image>;
  let ports: Readonly<Record<string, number>>;

  beforeAll(async () => {
    chmodSync(work, 0o755);
    images = await buildImages(ROOT, work);
    for (const { dir } of images.values()) makeReadOnly(dir);
    const free = await Promise.all(Array.from({ length: 6 }, () => reservePort()));
    const [redis = 0, api = 0, worker = 0, dashboard = 0, sandbox = 0, sandboxTls = 0] = free;
    ports = { redis, api, worker, dashboard, sandbox, sandboxTls };
    writeFileSync(join(work, 'secret-key'), randomBytes(32).toString('base64'));
    writeFileSync(join(work, 'admin-key'), randomBytes(24).toString('hex'));
    for (const name of ['secret-key', 'admin-key']) chmodSync(join(work, name), 0o644);
  }, 300_000);

  afterAll(async () => {
    for (const child of [...running.values()].reverse()) await child.stop();
    await run('chmod', ['-R', 'u+w', work]);
    rmSync(work, { recursive: true, force: true });
  }, 120_000);

  /** The service's environment as its container sees it, but for addresses: here all are on loopback, on free ports. */
  function environment(name: string, service: Service, image: Image): Record<string, string> {
    const env = { ...image.env, ...service.environment };
    const own = name.toUpperCase();
    const here = Object.entries(env).map(([key, value]) => {
      const local = value.replace(/\/\/(\w+):\d+/g, (_, host) => `//127.0.0.1:${ports[host] ?? 0}`);
      return [key, local.replace('/run/secrets/', `${work}/`)];
    });
    const listens = name in ports ? { [`${own}_HOST`]: '127.0.0.1', [`${own}_PORT`]: String(ports[name]) } : {};
    const tls = name === 'sandbox' ? { SANDBOX_TLS_PORT: String(ports.sandboxTls) } : {};
    return { ...Object.fromEntries(here), ...listens, ...tls };
  }

  async function start(name: string): Promise<TestProcess> {
    const service = compose.services[name];
    const image = images.get(service?.build?.target ?? '');
    if (!service || !image) throw new Error(`${name} is no service with an image of ours`);
    const [command = '', ...args] = image.command;
    const child = await startProcess({
      command: command === 'node' ? join(work, 'bin/node') : command,
      args,
      cwd: image.dir,
      env: environment(name, service, image),
      ...(READY[name] ? { readyLine: READY[name] } : {}),
      ...UNPRIVILEGED,
    });
    running.set(name, child);
    return child;
  }

  it('run as somebody without rights', () => {
    for (const name of ['api', 'worker', 'dashboard', 'sandbox', 'demo']) expect(images.get(name)?.user).toBe('node');
  });

  it('hold what they run, and no tests or tools', async () => {
    const { stdout } = await run('find', [
      images.get('api')?.dir ?? '',
      '-maxdepth',
      '3',
      '-not',
      '-path',
      '*/node_modules/*',
    ]);
    expect(stdout).toContain('apps/api/src');
    expect(stdout).not.toMatch(/\/(test|testing|tests|\.tools|vitest[^/]*)$/m);
  });

  it('drain the roster of the demo, and answer their health checks meanwhile', async () => {
    const [redis = '', ...args] = compose.services.redis?.command ?? [];
    const server = await startProcess({
      command: redis,
      args: [...args, '--port', String(ports.redis), '--bind', '127.0.0.1', '--dir', join(work, 'home')],
      env: { PATH: `${process.env.PATH}:/usr/sbin:/usr/bin` },
      readyLine: READY.redis ?? '',
      ...UNPRIVILEGED,
    });
    running.set('redis', server);
    for (const name of ['sandbox', 'api', 'worker', 'dashboard']) await start(name);
    for (const name of ['sandbox', 'api', 'worker', 'dashboard']) {
      const image = images.get(name);
      const [, ...check] = image?.healthCheck ?? [];
      const here = check.map((text) => text.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${ports[name]}`));
      await waitFor(async () => (await run(process.execPath, here)) !== undefined, { what: `${name} to be healthy` });
    }
    const demo = await start('demo');
    const { code } = await demo.exited;
    running.delete('demo');
    expect({ code, output: code === 0 ? '' : demo.lines.join('\n') }).toEqual({ code: 0, output: '' });
    expect(demo.lines.join('\n')).toMatch(/pending +0/);
  });

  it('stop in order when they are told to', async () => {
    for (const name of ['dashboard', 'worker', 'api', 'sandbox']) {
      const child = running.get(name);
      if (!child) throw new Error(`${name} is not running`);
      const exit = await child.stop(120_000);
      running.delete(name);
      expect({ name, ...exit }).toEqual({ name, code: 0, signal: null });
    }
  });
});
