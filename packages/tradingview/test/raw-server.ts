import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { Socket } from 'node:net';
import { generate } from 'selfsigned';

export const PROTOCOLS = ['HTTP/1.1', 'HTTP/2'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export type RawRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** The answer, to be written in any broken way; the API is the same for both protocols. */
  readonly response: ServerResponse;
  /** The connection's session, null over HTTP/1.1. */
  readonly session: ServerHttp2Session | null;
  /** Ends the HTTP/2 stream with an error code; over HTTP/1.1 nothing. */
  resetStream(code: number): void;
  /** Breaks the whole connection. */
  disconnect(): void;
};

export type RawServer = {
  readonly baseUrl: string;
  readonly ca: string;
  readonly port: number;
  /** Every request that arrived whole. */
  readonly requests: readonly RawRequest[];
  readonly connections: number;
  close(): Promise<void>;
};

let certificate: Promise<{ cert: string; private: string }> | undefined;

/** A server on a free port whose answers, however broken, the test writes by hand. */
export async function startRawServer(protocol: Protocol, answer: (request: RawRequest) => void): Promise<RawServer> {
  const requests: RawRequest[] = [];
  const open = new Set<Socket>();
  let connections = 0;

  async function serve(request: IncomingMessage | Http2ServerRequest, response: unknown): Promise<void> {
    const chunks: Buffer[] = [];
    request.on('error', () => {});
    for await (const chunk of request) chunks.push(chunk);
    const session = 'stream' in request ? (request.stream.session as ServerHttp2Session) : null;
    const raw: RawRequest = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
      response: response as ServerResponse,
      session,
      resetStream: (code) => void ('stream' in request && request.stream.close(code)),
      disconnect: () => (session === null ? request.socket.destroy() : session.destroy()),
    };
    requests.push(raw);
    answer(raw);
  }

  const keys = protocol === 'HTTP/2' ? await sharedCertificate() : null;
  const onRequest = (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse) =>
    void serve(request, response).catch(() => {});
  const server =
    keys === null
      ? createServer(onRequest)
      : createSecureServer({ cert: keys.cert, key: keys.private, allowHTTP1: true }, onRequest);
  server.on('connection', (socket: Socket) => {
    connections++;
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  return {
    baseUrl: `${keys === null ? 'http' : 'https'}://127.0.0.1:${address.port}`,
    ca: keys?.cert ?? '',
    port: address.port,
    requests,
    get connections() {
      return connections;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** Answers with JSON. */
export function reply({ response }: RawRequest, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function sharedCertificate() {
  certificate ??= makeCertificate();
  return certificate;
}

async function makeCertificate() {
  return generate([{ name: 'commonName', value: 'test' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true, critical: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  });
}
