import { join } from 'node:path';
import { createLatch, startProcess } from '@pinegate/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { exchange, type WireRequest } from '../src/exchange.ts';
import {
  createTradingView,
  leanHttp2,
  type Observation,
  type TradingView,
  type TradingViewOptions,
} from '../src/index.ts';
import { openPool } from '../src/open-pool.ts';
import { startFreezableProxy } from './freezable-proxy.ts';
import { PROTOCOLS, type RawRequest, type RawServer, reply, startRawServer } from './raw-server.ts';

// As in a worker.
leanHttp2();

const SESSION = { account: 'main', sessionid: 'abc' };
const GRANT = { script: 'PUB;0123456789abcdef0123456789abcdef', username: 'Alice', expiresAt: null };

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const close of closers.splice(0).reverse()) await close();
});

function openClient(options: TradingViewOptions): TradingView {
  const client = createTradingView(options);
  closers.push(() => client.destroy());
  return client;
}

describe.each(PROTOCOLS)('over %s', (protocol) => {
  async function open(answer: (request: RawRequest) => void, options: Partial<TradingViewOptions> = {}) {
    const server: RawServer = await startRawServer(protocol, answer);
    closers.push(() => server.close());
    return { server, client: openClient({ baseUrl: server.baseUrl, ca: server.ca, deadlineMs: 60_000, ...options }) };
  }

  it('200 calls are under way at once', async () => {
    const all = createLatch('200 requests at once');
    const { client, server } = await open((request) => {
      if (server.requests.length === 200) all.open();
      void all.wait(60_000).then(() => reply(request, 201, { status: 'ok' }));
    });
    const results = await Promise.all(Array.from({ length: 200 }, () => client.add(SESSION, GRANT)));
    expect(new Set(results)).toEqual(new Set(['ok']));
    expect(server.connections).toBe(protocol === 'HTTP/2' ? 2 : 200);
  });

  it('a signal that was already given sends nothing', async () => {
    const { client, server } = await open((request) => reply(request, 201, { status: 'ok' }));
    const given = client.add(SESSION, GRANT, { signal: AbortSignal.abort() });
    await expect(given).rejects.toMatchObject({ code: 'ABORTED', sent: false });
    expect(server.requests).toHaveLength(0);
  });

  it('a signal after the request arrived leaves a write uncertain and a read aborted', async () => {
    const abort = new AbortController();
    const { client, server } = await open(() => {
      if (server.requests.length === 2) abort.abort();
    });
    const [write, read] = await Promise.allSettled([
      client.add(SESSION, GRANT, { signal: abort.signal }),
      client.details(SESSION, { signal: abort.signal }),
    ]);
    expect(write).toMatchObject({ reason: { code: 'UNCERTAIN', reason: 'aborted', sent: true } });
    expect(read).toMatchObject({ reason: { code: 'ABORTED', reason: 'aborted', sent: true } });
  });

  it('a process that stood still until calls were over goes on, whatever of them was out', async () => {
    const { server } = await open((request) => reply(request, 201, { status: 'ok' }));
    const env = { BASE_URL: server.baseUrl, ...(server.ca === undefined ? {} : { CA: server.ca }) };
    const args = [join(import.meta.dirname, 'fixtures/give-up.ts')];
    const child = await startProcess({ args, env, readyLine: /^ok$/ });
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });

  it('close lets calls under way finish and takes no more', async () => {
    const arrived = createLatch<RawRequest>('the request arrived');
    const { client } = await open(arrived.open);
    const call = client.add(SESSION, GRANT);
    const request = await arrived.wait();
    const closing = client.close();
    expect(client.close()).toBe(closing);
    await expect(client.add(SESSION, GRANT)).rejects.toMatchObject({ code: 'ABORTED', reason: 'closed', sent: false });
    reply(request, 201, { status: 'ok' });
    expect(await call).toBe('ok');
    await closing;
  });

  it('destroy ends calls under way: writes uncertain, reads aborted', async () => {
    const both = createLatch('both requests arrived');
    const { client, server } = await open(() => {
      if (server.requests.length === 2) both.open();
    });
    const calls = Promise.allSettled([client.remove(SESSION, GRANT), client.listScripts(SESSION)]);
    await both.wait();
    const closing = client.close();
    await client.destroy();
    await closing;
    const [write, read] = await calls;
    expect(write).toMatchObject({ reason: { code: 'UNCERTAIN', sent: true } });
    expect(read).toMatchObject({ reason: { code: 'ABORTED', sent: true } });
    await expect(client.details(SESSION)).rejects.toMatchObject({ code: 'ABORTED', sent: false });
  });

  it('a server that is not there is unavailable, and nothing was sent', async () => {
    const { client, server } = await open(() => {});
    await server.close();
    const refused = { code: 'UNAVAILABLE', reason: 'connect', sent: false, status: null };
    const calls = Array.from({ length: 20 }, () => client.add(SESSION, GRANT));
    for (const result of await Promise.allSettled(calls)) expect(result).toMatchObject({ reason: refused });
  });

  it('a deadline that passes while the call waits for a connection sends nothing', async () => {
    const { server } = await open(() => {});
    const proxy = await startFreezableProxy(server.port);
    closers.push(() => proxy.close());
    proxy.freeze();
    const baseUrl = `${new URL(server.baseUrl).protocol}//127.0.0.1:${proxy.port}`;
    const pool = openPool({ baseUrl, ca: server.ca, connections: 1, deadlineMs: 60_000 });
    closers.push(() => pool.destroy());
    const request: WireRequest = { method: 'GET', path: '/', headers: [], body: null };
    // Over HTTP/1.1 it occupies the only connection, over HTTP/2 it waits for it to be opened: until the pool is destroyed.
    const first = exchange(pool, request, 60_000, undefined);
    await proxy.reached;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const second = exchange(pool, request, 50, undefined);
    vi.advanceTimersByTime(50);
    expect(await second).toMatchObject({ kind: 'fault', why: 'deadline', started: false });
    expect(server.requests).toHaveLength(0);
    await pool.destroy();
    expect(await first).toMatchObject({ kind: 'fault', why: 'error' });
  });

  it('every finished request is observed once, and an observer that throws changes nothing', async () => {
    const seen: Observation[] = [];
    const { client } = await open(
      (request) =>
        request.path.includes('add')
          ? reply(request, 200, { status: 'exists' })
          : reply(request, 503, { detail: 'no' }),
      {
        onRequest(observation) {
          seen.push(observation);
          throw new Error('a metric is broken');
        },
      },
    );
    expect(await client.add(SESSION, GRANT)).toBe('exists');
    await expect(client.hint('alice', { account: 'other' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(client.add(SESSION, GRANT, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    await expect(client.add({ sessionid: 'not a cookie' }, GRANT)).rejects.toMatchObject({
      code: 'SESSION_EXPIRED',
      reason: 'session',
      sent: false,
    });
    const ms = expect.any(Number);
    expect(seen).toEqual([
      { account: 'main', endpoint: 'add', result: 'exists', status: 200, ms },
      { account: 'other', endpoint: 'hint', result: 'UNAVAILABLE', status: 503, ms },
      { account: 'main', endpoint: 'add', result: 'ABORTED', status: null, ms },
    ]);
  });
});

describe('over HTTPS', () => {
  it('a certificate that is not trusted is unavailable, and nothing is sent', async () => {
    const server = await startRawServer('HTTP/2', (request) => reply(request, 201, { status: 'ok' }));
    closers.push(() => server.close());
    const client = openClient({ baseUrl: server.baseUrl });
    await expect(client.add(SESSION, GRANT)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'connect',
      sent: false,
    });
    expect(server.requests).toHaveLength(0);
  });

  it('HTTP/1.1 is spoken where HTTP/2 is switched off', async () => {
    const server = await startRawServer('HTTP/2', (request) => reply(request, 201, { status: 'ok' }));
    closers.push(() => server.close());
    const client = openClient({ baseUrl: server.baseUrl, ca: server.ca, http2: false });
    expect(await client.add(SESSION, GRANT)).toBe('ok');
    expect(server.requests[0]?.session).toBeNull();
  });

  it('an HTTP/2 connection that has silently died is replaced', async () => {
    const server = await startRawServer('HTTP/2', (request) => reply(request, 201, { status: 'ok' }));
    closers.push(() => server.close());
    const proxy = await startFreezableProxy(server.port);
    closers.push(() => proxy.close());
    const baseUrl = `https://127.0.0.1:${proxy.port}`;
    const client = openClient({ baseUrl, ca: server.ca, connections: 1, deadlineMs: 6_000 });
    // Calls that are given up because this process stood still are made again.
    const add = async () => {
      let result = null;
      for (let tries = 0; tries < 30 && result === null; tries++) {
        result = await client.add(SESSION, GRANT).catch(() => null);
      }
      return result;
    };
    expect(await add()).toBe('ok');
    const before = server.connections;
    proxy.freeze();
    await expect(client.add(SESSION, GRANT)).rejects.toMatchObject({ code: 'UNCERTAIN', reason: 'timeout' });
    proxy.thawNewOnly();
    expect(await add()).toBe('ok');
    expect(server.connections).toBe(before + 1);
  });
});

it.each(['ftp://127.0.0.1', 'https://127.0.0.1/path', 'https://user@127.0.0.1', 'nowhere'])(
  '%s is no base URL',
  (baseUrl) => {
    expect(() => createTradingView({ baseUrl })).toThrow(TypeError);
  },
);
