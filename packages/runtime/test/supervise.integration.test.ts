import { get } from 'node:http';
import { join } from 'node:path';
import { startProcess, type TestProcess, waitFor } from '@pinegate/testing';
import { afterEach, expect, it, vi } from 'vitest';
import { freePort } from '../src/index.ts';

const FIXTURE = join(import.meta.dirname, 'fixtures/supervised.ts');

let running: TestProcess | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

/** Over a connection of its own. */
function askOnce(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

vi.setConfig({ testTimeout: 120_000 });

async function start(env: Record<string, string> = {}, readyLine = /all ready/) {
  const [port, healthPort] = await Promise.all([freePort(), freePort()]);
  const common = { PORT: String(port), HEALTH_PORT: String(healthPort) };
  running = await startProcess({ args: [FIXTURE], env: { ...common, ...env }, readyLine });
  const ask = (path = '/') => askOnce(`http://127.0.0.1:${port}${path}`);
  const health = (path: string) => fetch(`http://127.0.0.1:${healthPort}${path}`);
  /** The pids that answer, over so many requests that each child gets some. */
  const pids = async () => new Set(await Promise.all(Array.from({ length: 12 }, () => ask())));
  return { process: running, ask, health, pids };
}

it('shares one port between its processes', async () => {
  const { process, pids } = await start();
  const answering = await pids();
  expect(answering.size).toBe(2);
  expect(answering).not.toContain(String(process.pid));
});

it('adds up the metrics of all processes, and serves them with their health in one place', async () => {
  const { health, ask } = await start();
  for (let i = 0; i < 7; i += 1) await ask();
  // A process that does not answer within two seconds is left out, as one may on a busy machine.
  const metrics = async () => (await health('/metrics')).text();
  await expect.poll(metrics).toMatch(/^fixture_requests_total\{app="fixture"\} 7$/m);
  const statuses = async () => [(await health('/healthz')).status, (await health('/readyz')).status];
  await expect.poll(statuses).toEqual([200, 200]);
});

it('brings back a process that crashed, while the others serve', async () => {
  const { process, pids, ask, health } = await start();
  const before = await pids();
  await ask('/crash').catch(() => {});
  await process.line(/another one takes its place/);
  expect((await health('/healthz')).status).toBe(200);
  await waitFor(async () => (await health('/readyz')).status === 200, { what: 'a new process to be ready' });
  const after = await pids();
  expect(after.size).toBe(2);
  expect([...after].filter((pid) => before.has(pid))).toHaveLength(1);
});

it('replaces every process on SIGHUP without refusing a request', async () => {
  const { process, pids, ask } = await start();
  const before = await pids();
  let done = false;
  const asking = (async () => {
    const answers: string[] = [];
    while (!done) answers.push(await ask().catch((error: Error) => error.message));
    return answers;
  })();
  process.signal('SIGHUP');
  await waitFor(() => process.lines.filter((line) => line.includes('a process was replaced')).length === 2, {
    what: 'both processes to be replaced',
  });
  done = true;
  expect((await asking).filter((answer) => !/^\d+$/.test(answer))).toEqual([]);
  expect([...(await pids())].filter((pid) => before.has(pid))).toEqual([]);
});

it('stops all of them and exits with 0 when it is told to', async () => {
  const { process, ask } = await start();
  process.signal('SIGTERM');
  expect(await process.exited).toEqual({ code: 0, signal: null });
  await expect(ask()).rejects.toThrow();
});

it('gives up with 1 when its processes do not even start', async () => {
  const { process } = await start({ CRASH: 'at start' }, /not started/);
  expect(await process.exited).toEqual({ code: 1, signal: null });
});
