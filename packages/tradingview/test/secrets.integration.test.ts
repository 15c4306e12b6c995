import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTradingView, type Observation, type TradingView, TradingViewError } from '../src/index.ts';
import { PROTOCOLS, type RawRequest, type RawServer, reply, startRawServer } from './raw-server.ts';

const CANARY = 'c4n4ry7f3a9e1d';
const SESSION = { account: 'main', sessionid: `${CANARY}id`, sessionidSign: `${CANARY}sign` };
const GRANT = { script: 'PUB;0123456789abcdef0123456789abcdef', username: 'Alice', expiresAt: null };

/** Everything the upstream could do with our secrets: send them back wherever it can. */
const ECHOES: Record<string, (request: RawRequest, echo: string) => void> = {
  'a code': (request, echo) => reply(request, 400, { code: echo, detail: echo }),
  'a field that names a script': (request, echo) => reply(request, 422, { pine_id: [echo], [echo]: echo }),
  'a success of another shape': (request, echo) => reply(request, 200, { status: echo, [echo]: 1 }),
  'a server error': (request, echo) => reply(request, 500, { detail: echo }),
  'a page': ({ response }, echo) => response.writeHead(200, { 'content-type': 'text/html' }).end(`<p>${echo}</p>`),
  'a redirect': ({ response }, echo) => response.writeHead(302, { location: `/x/${encodeURIComponent(echo)}` }).end(),
  'a type and a retry': ({ response }, echo) =>
    response.writeHead(429, { 'content-type': echo, 'retry-after': echo, 'set-cookie': echo }).end(echo),
  'a cut body': (request, echo) => {
    request.response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
    request.response.write(echo, () => request.disconnect());
  },
  'a reset': (request) => request.disconnect(),
};

describe.each(PROTOCOLS)('over %s', (protocol) => {
  let answer: (request: RawRequest) => void;
  let server: RawServer;
  let client: TradingView;
  const seen: Observation[] = [];

  beforeAll(async () => {
    server = await startRawServer(protocol, (request) => answer(request));
    const { baseUrl, ca } = server;
    client = createTradingView({ baseUrl, ca, deadlineMs: 60_000, onRequest: (one) => seen.push(one) });
  });
  afterAll(async () => {
    await client.destroy();
    await server.close();
  });

  it.each(Object.keys(ECHOES))('no secret gets into an error or an observation out of %s', async (name) => {
    answer = (request) => ECHOES[name]?.(request, request.headers.cookie?.toString() || request.body);
    const calls = await Promise.allSettled([
      client.add(SESSION, GRANT),
      client.listUsers(SESSION, GRANT),
      client.listScripts(SESSION),
      client.signIn('author', CANARY),
      client.add({ sessionid: `${CANARY};\n` }, GRANT),
      client.add(SESSION, GRANT, { signal: AbortSignal.abort(new Error(CANARY)) }),
    ]);
    const errors = calls.flatMap((call) => (call.status === 'rejected' ? [call.reason] : []));
    expect(errors.length).toBeGreaterThanOrEqual(5);
    for (const error of errors) {
      expect(error).toBeInstanceOf(TradingViewError);
      expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain(CANARY);
      expect(JSON.stringify(error)).not.toContain(CANARY);
    }
    expect(JSON.stringify(seen)).not.toContain(CANARY);
  });
});
