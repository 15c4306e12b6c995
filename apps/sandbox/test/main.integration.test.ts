import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { SCRIPT } from './clients.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

function run(env: Readonly<Record<string, string>>): ChildProcess {
  const child = spawn(process.execPath, [MAIN], {
    env: { SANDBOX_PORT: '0', SANDBOX_TLS_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const gone = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await gone;
  });
  return child;
}

async function textOf(stream: NodeJS.ReadableStream | null, until = /$^/): Promise<string> {
  let text = '';
  for await (const chunk of stream ?? []) {
    text += String(chunk);
    if (until.test(text)) break;
  }
  return text;
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sandbox-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

it.each(['SIGTERM', 'SIGINT'] as const)(
  'the process starts from a setup file, says so in one line, and stops on %s',
  async (signal) => {
    const folder = await temporaryFolder();
    const setup = {
      options: { dripMs: 5 },
      accounts: { demo: { sessionid: 's', scripts: [SCRIPT] } },
      users: ['Alice'],
    };
    await writeFile(join(folder, 'setup.json'), JSON.stringify(setup));
    const child = run({
      SANDBOX_SEED: 'fixed',
      SANDBOX_SETUP_FILE: join(folder, 'setup.json'),
      SANDBOX_CERT_FILE: join(folder, 'certificate.pem'),
    });
    const line = await textOf(child.stdout, /\n/);
    const url =
      /^sandbox ready: (http:\/\/127\.0\.0\.1:\d+) \(HTTP\/1\.1\), https:\/\/127\.0\.0\.1:\d+ \(HTTP\/2\), seed fixed\n$/.exec(
        line,
      )?.[1];
    expect(url).toBeDefined();
    const response = await fetch(`${url}/__sandbox/certificate`);
    expect(await response.text()).toBe(await readFile(join(folder, 'certificate.pem'), 'utf8'));
    const accounts = await (await fetch(`${url}/__sandbox/accounts`)).json();
    expect(accounts).toMatchObject({ accounts: [{ id: 'demo' }] });
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([0, null]);
  },
);

it('the process refuses a taken port with one sentence', async () => {
  const first = run({});
  const port = /127\.0\.0\.1:(\d+)/.exec(await textOf(first.stdout, /\n/))?.[1] ?? '';
  const second = run({ SANDBOX_PORT: port });
  const exited = once(second, 'exit');
  expect(await textOf(second.stderr)).toBe(
    `Port ${port} on 127.0.0.1 is taken. Stop what uses it, or set SANDBOX_PORT and SANDBOX_TLS_PORT.\n`,
  );
  expect(await exited).toEqual([1, null]);
});

it('the process refuses a setup file it does not understand, and names it', async () => {
  const child = run({ SANDBOX_SETUP_FILE: '/nonexistent/setup.json' });
  const exited = once(child, 'exit');
  expect(await textOf(child.stderr)).toMatch(/^SANDBOX_SETUP_FILE \/nonexistent\/setup\.json: ENOENT/);
  expect(await exited).toEqual([1, null]);
});
