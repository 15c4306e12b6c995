import { createServer, type Server, type ServerResponse } from 'node:http';
import type { ObservedRequest } from './http-metrics.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { parentChannel } from './processes/parent.ts';

const TIMEOUT_MS = 2_000;

/** `reason` says in a few words why not; it is public. */
export type ProbeResult = { ok: true } | { ok: false; reason: string };
export type Probe = () => Promise<ProbeResult> | ProbeResult;

export type HealthServerOptions = {
  host: string;
  /** 0: any free one. */
  port: number;
  /** Whether it may be given work. */
  ready: Probe;
  /** Whether it makes progress; when not, it should be restarted. */
  live: Probe;
  metrics: Pick<Metrics, 'text' | 'contentType'>;
  /** A probe that takes longer has failed. Default 2 s. */
  timeoutMs?: number;
  /** Told of each request that was answered. */
  onRequest?: (request: ObservedRequest) => void;
  log?: Logger;
};

export type HealthServer = { readonly port: number; close(): Promise<void> };

/**
 * Serves `/healthz` (live), `/readyz` (ready) and `/metrics` for a process that has no other HTTP server. A process that
 * is supervised listens on nothing (port 0): its supervisor asks it, and answers for all.
 */
export async function createHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const parent = parentChannel();
  if (parent) {
    parent.answer('ready', () => runProbe(options.ready, options.timeoutMs ?? TIMEOUT_MS));
    parent.answer('live', () => runProbe(options.live, options.timeoutMs ?? TIMEOUT_MS));
    return { port: 0, close: async () => {} };
  }
  const { ready, live, metrics, timeoutMs = TIMEOUT_MS, onRequest, log } = options;
  const routes: Readonly<Record<string, (response: ServerResponse) => Promise<void>>> = {
    '/healthz': async (response) => answerProbe(response, await runProbe(live, timeoutMs)),
    '/readyz': async (response) => answerProbe(response, await runProbe(ready, timeoutMs)),
    '/metrics': async (response) => {
      const text = await metrics.text();
      response.writeHead(200, { 'content-type': metrics.contentType }).end(text);
    },
  };
  const server = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    const route = routes[path];
    const startedAt = performance.now();
    response.once('finish', () => {
      const seconds = (performance.now() - startedAt) / 1_000;
      const known = route === undefined ? 'none' : path;
      onRequest?.({ method: request.method ?? '', route: known, statusCode: response.statusCode, seconds });
    });
    if (route === undefined) return void response.writeHead(404).end();
    if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end();
    route(response).catch((err: unknown) => {
      log?.error({ err, path: request.url }, 'a health request failed');
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  await listen(server, options);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the health server listens on no TCP port');
  let closed: Promise<void> | undefined;
  return {
    port: address.port,
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}

function listen(server: Server, { host, port }: HealthServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function runProbe(probe: Probe, timeoutMs: number): Promise<ProbeResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<ProbeResult>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, reason: 'no answer in time' }), timeoutMs);
  });
  try {
    return await Promise.race([Promise.resolve().then(probe), late]);
  } catch {
    return { ok: false, reason: 'the check failed' };
  } finally {
    clearTimeout(timer);
  }
}

function answerProbe(response: ServerResponse, result: ProbeResult): void {
  response.writeHead(result.ok ? 200 : 503, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(result.ok ? { status: 'ok' } : { status: 'unavailable', reason: result.reason }));
}
