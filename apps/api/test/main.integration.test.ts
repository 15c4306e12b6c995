import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { startProcess, startTestRedis, type TestProcess, type TestRedis } from '@pinegate/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const SECRET = 'q1Z3bX0zr5uTgKpXc8Wm2LhVn9sYdE4fJ7aRtUoIePw=';
const ADMIN = 'canary-admin-key-of-the-tests';

let redis: TestRedis;
const started: TestProcess[] = [];

beforeAll(async () => {
  redis = await startTestRedis();
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((process) => process.stop()));
});
afterAll(() => redis.close());

async function start(env: Record<string, string>, readyLine?: string): Promise<TestProcess> {
  const all = { PINEGATE_SECRET_KEY: SECRET, PINEGATE_ADMIN_KEY: ADMIN, REDIS_URL: redis.url, API_PORT: '0', ...env };
  const process = await startProcess({ args: [MAIN], env: all, ...(readyLine === undefined ? {} : { readyLine }) });
  started.push(process);
  return process;
}

function portOf(process: TestProcess): number {
  return JSON.parse(process.lines.find((line) => line.includes('"ready"')) ?? '{}').port;
}

function get(port: number, path: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${ADMIN}` } });
}

/** Sends it again while the answer is 503: on a busy machine Redis may take longer than the app waits. */
async function answered(send: () => Promise<Response>): Promise<Response> {
  for (;;) {
    const answer = await send();
    if (answer.status !== 503) return answer;
  }
}

test('it starts, answers, and ends in order on SIGTERM, without a word about its secrets', async () => {
  const api = await start({}, '"ready"');
  const port = portOf(api);
  expect((await answered(() => get(port, '/readyz'))).status).toBe(200);
  const put = (path: string, body: object) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  // Another account each time: one that was answered 503 may have been made.
  let tries = 0;
  const scriptOf = (n: number) => `PUB;${n.toString(16).padStart(32, '0')}`;
  const account = await answered(() => {
    tries += 1;
    return put(`/v1/accounts/demo-${tries}`, { scripts: [scriptOf(tries)] });
  });
  expect(account.status).toBe(201);
  const access = `/v1/scripts/${encodeURIComponent(scriptOf(tries))}/access/alice`;
  const grant = await answered(() => put(access, { expiresAt: null }));
  expect(grant.status).toBe(202);
  const read = await answered(() => get(port, `/v1/accounts/demo-${tries}`));
  expect(await read.json()).toMatchObject({ pending: 1 });
  expect(await api.stop()).toEqual({ code: 0, signal: null });
  expect(api.lines.join('\n')).not.toContain(ADMIN);
  expect(api.lines.join('\n')).not.toContain(SECRET);
});

test('with Redis down it starts, answers 503 within a second, and works when Redis comes', async () => {
  const late = await startTestRedis({ started: false });
  try {
    const api = await start({ REDIS_URL: late.url }, '"ready"');
    const port = portOf(api);
    // Either process may stand still meanwhile: then the time of another request counts.
    let fastest = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < 5 && fastest >= 1_000; tries++) {
      const began = performance.now();
      const answer = await get(port, '/v1/scripts');
      expect(await answer.json()).toMatchObject({ status: 503, code: 'unavailable' });
      fastest = Math.min(fastest, performance.now() - began);
    }
    expect(fastest).toBeLessThan(1_000);
    expect((await get(port, '/readyz')).status).toBe(503);
    await late.start();
    await expect.poll(async () => (await get(port, '/readyz')).status).toBe(200);
    expect((await answered(() => get(port, '/v1/scripts'))).status).toBe(200);
    await api.stop();
  } finally {
    await late.close();
  }
});

test('a Redis that evicts is refused with a sentence', async () => {
  const evicting = await startTestRedis({ config: { 'maxmemory-policy': 'allkeys-lru' } });
  try {
    const api = await start({ REDIS_URL: evicting.url });
    expect((await api.exited).code).toBe(1);
    expect(api.lines.join('\n')).toContain('set it to noeviction');
  } finally {
    await evicting.close();
  }
});

test('mistakes in the environment are told together and without values', async () => {
  const api = await start({ PINEGATE_SECRET_KEY: 'weak-secret', API_PORT: 'eighty' });
  expect((await api.exited).code).toBe(1);
  const told = api.lines.join('\n');
  expect(told).toContain('PINEGATE_SECRET_KEY');
  expect(told).toContain('API_PORT');
  expect(told).not.toMatch(/weak-secret|eighty|at .*\.ts/);
});

test('a taken port is a clear sentence', async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = holder.address() as AddressInfo;
    const api = await start({ API_PORT: String(port) });
    expect((await api.exited).code).toBe(1);
    expect(api.lines.join('\n')).toContain('the port is taken: set API_PORT to another one');
  } finally {
    await new Promise((resolve) => holder.close(resolve));
  }
});
