import { constants } from 'node:http2';
import { createLatch } from '@pinegate/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createTradingView, leanHttp2, type TradingView, type TradingViewOptions } from '../src/index.ts';
import { PROTOCOLS, type RawRequest, type RawServer, reply, startRawServer } from './raw-server.ts';

// As in a worker.
leanHttp2();

const SESSION = { account: 'main', sessionid: 'abc', sessionidSign: 'v1:def' };
// No call ends by it while this process stands still.
const DEADLINE_MS = 60_000;
// Passes in real time, so a test takes as long: the request must have arrived by then.
const SHORT_MS = 3_000;
const GRANT = { script: 'PUB;0123456789abcdef0123456789abcdef', username: 'Alice', expiresAt: null };

let client: TradingView | undefined;
let server: RawServer | undefined;

afterEach(async () => {
  vi.useRealTimers();
  await client?.destroy();
  await server?.close();
  client = undefined;
  server = undefined;
});

// OWASP API Security Top 10 (2023), API10: what TradingView answers is not believed before it has been read.
describe.each(PROTOCOLS)('API10 unsafe consumption of APIs: over %s', (protocol) => {
  async function open(answer: (request: RawRequest) => void, options: Partial<TradingViewOptions> = {}) {
    server = await startRawServer(protocol, answer);
    client = createTradingView({ baseUrl: server.baseUrl, ca: server.ca, deadlineMs: DEADLINE_MS, ...options });
    return { client, server };
  }

  it('sends what the endpoint documents', async () => {
    const { client, server } = await open((request) => reply(request, 201, { status: 'ok' }));
    await client.add(SESSION, { ...GRANT, expiresAt: Date.UTC(2026, 9, 1) });
    expect(server.requests[0]).toMatchObject({
      method: 'POST',
      path: '/pine_perm/add/',
      body: 'pine_id=PUB%3B0123456789abcdef0123456789abcdef&username_recip=Alice&expiration=2026-10-01T00%3A00%3A00.000Z',
      headers: {
        origin: 'https://www.tradingview.com',
        referer: 'https://www.tradingview.com',
        'x-requested-with': 'XMLHttpRequest',
        'content-type': 'application/x-www-form-urlencoded',
        cookie: 'sessionid=abc; sessionid_sign=v1:def',
      },
    });
    expect(server.requests[0]?.session === null).toBe(protocol === 'HTTP/1.1');
  });

  it('a connection that breaks after the request arrived is uncertain, and nothing is sent twice', async () => {
    const all = createLatch('20 requests arrived');
    const { client, server } = await open((request) => {
      if (server.requests.length === 20) all.open();
      void all.wait(60_000).then(() => request.disconnect());
    });
    const calls = Array.from({ length: 20 }, () => client.add(SESSION, GRANT));
    const results = await Promise.allSettled(calls);
    for (const result of results) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'UNCERTAIN', reason: 'reset', sent: true } });
    }
    expect(server.requests).toHaveLength(20);
  });

  it('a body that breaks off before its announced length is uncertain', async () => {
    const { client } = await open((request) => {
      request.response.writeHead(200, { 'content-type': 'application/json', 'content-length': 15 });
      request.response.write('{"status":', () => request.disconnect());
    });
    await expect(client.remove(SESSION, GRANT)).rejects.toMatchObject({
      code: 'UNCERTAIN',
      reason: 'cut',
      status: 200,
    });
  });

  it('a body without a length that ends too early is uncertain', async () => {
    const { client } = await open(({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"status":"o');
    });
    await expect(client.modify(SESSION, GRANT)).rejects.toMatchObject({
      code: 'UNCERTAIN',
      reason: 'cut',
      status: 200,
    });
  });

  it('a request that is never answered ends at the deadline, uncertain', async () => {
    const arrived = createLatch('the request arrived');
    const { client, server } = await open(() => arrived.open());
    const arriving = arrived.wait();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const call = client.add(SESSION, GRANT);
    const outcome = expect(call).rejects.toMatchObject({ code: 'UNCERTAIN', reason: 'timeout', sent: true });
    await arriving;
    vi.advanceTimersByTime(DEADLINE_MS);
    await outcome;
    expect(server.requests).toHaveLength(1);
  });

  it('a drip that never pauses for long ends at the deadline too', async () => {
    const { client } = await open(
      ({ response }) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const drip = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(drip));
        response.on('error', () => {});
      },
      { deadlineMs: SHORT_MS },
    );
    await expect(client.add(SESSION, GRANT)).rejects.toMatchObject({ code: 'UNCERTAIN', reason: 'timeout' });
  });

  it('a 429 whose body never ends is a 429', async () => {
    const { client } = await open(
      ({ response }) => {
        response.writeHead(429, { 'retry-after': '2' });
        response.write('{');
      },
      { deadlineMs: SHORT_MS },
    );
    await expect(client.add(SESSION, GRANT)).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 2000 });
  });

  it('an answer beyond the size cap is not read on', async () => {
    const { client } = await open(({ response }) => {
      response.on('error', () => {});
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(`{"status":"ok","more":"${'x'.repeat(2 ** 20)}"}`);
    });
    await expect(client.add(SESSION, GRANT)).rejects.toMatchObject({ code: 'UNCERTAIN', reason: 'too_large' });
  });

  it('a redirect is not followed, and the cookies go nowhere else', async () => {
    const { client, server } = await open((request) => {
      request.response.writeHead(302, { location: '/accounts/signin/' });
      request.response.end();
    });
    await expect(client.listScripts(SESSION)).rejects.toMatchObject({ code: 'SESSION_EXPIRED', form: 'redirect' });
    expect(server.requests).toHaveLength(1);
  });

  it('letters of several bytes survive being split between two pieces of the body', async () => {
    const { client } = await open(({ response }) => {
      const body = Buffer.from(JSON.stringify([{ username: 'Zoë' }]));
      const middle = body.indexOf(0xc3) + 1;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(body.subarray(0, middle), () => response.end(body.subarray(middle)));
    });
    expect(await client.hint('zoë')).toBe('Zoë');
  });

  it("a list's cursor cannot lead the cookies to another place", async () => {
    const { client, server } = await open((request) =>
      reply(request, 200, { results: [], next: 'https://elsewhere.example/steal/?c=1' }),
    );
    await expect(client.listAllUsers(SESSION, GRANT)).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'shape' });
    expect(server.requests).toHaveLength(1);
  });
});

describe('over HTTP/2', () => {
  async function open(answer: (request: RawRequest) => void) {
    server = await startRawServer('HTTP/2', answer);
    client = createTradingView({ baseUrl: server.baseUrl, ca: server.ca, deadlineMs: DEADLINE_MS });
    return { client, server };
  }

  it('a stream that the server resets is uncertain and leaves the connection to the others', async () => {
    const { client, server } = await open((request) => {
      if (server.requests.length === 1) request.resetStream(constants.NGHTTP2_INTERNAL_ERROR);
      else reply(request, 201, { status: 'ok' });
    });
    await expect(client.add(SESSION, GRANT)).rejects.toMatchObject({ code: 'UNCERTAIN', reason: 'reset' });
    expect(await client.add(SESSION, GRANT)).toBe('ok');
    expect(server.connections).toBe(1);
    expect(server.requests).toHaveLength(2);
  });

  it('a stream refused unprocessed, and refused again, was surely not applied', async () => {
    const { client } = await open((request) => request.resetStream(constants.NGHTTP2_REFUSED_STREAM));
    await expect(client.add(SESSION, GRANT)).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'refused' });
  });

  it('a GOAWAY lets what was accepted finish, and the next call opens a connection', async () => {
    const { client, server } = await open((request) => {
      if (server.requests.length === 1) request.session?.goaway(0);
      reply(request, 201, { status: 'ok' });
    });
    expect(await client.add(SESSION, GRANT)).toBe('ok');
    expect(await client.add(SESSION, GRANT)).toBe('ok');
    expect(server.connections).toBe(2);
    expect(server.requests).toHaveLength(2);
  });

  it('a server that retires a connection every few requests still gets each request exactly once', async () => {
    const { client, server } = await open((request) => {
      if (server.requests.length % 40 === 0) request.session?.goaway(0);
      reply(request, 201, { status: 'ok' });
    });
    const names = Array.from({ length: 400 }, (_, i) => `user${i}`);
    const waiting = [...names];
    async function sendAll() {
      for (let username = waiting.pop(); username !== undefined; username = waiting.pop()) {
        expect(await client.add(SESSION, { ...GRANT, username })).toBe('ok');
      }
    }
    await Promise.all(Array.from({ length: 50 }, sendAll));
    const received = server.requests.map((request) => new URLSearchParams(request.body).get('username_recip'));
    expect(received.toSorted()).toEqual(names.toSorted());
    expect(server.connections).toBeGreaterThan(2);
  });
});
