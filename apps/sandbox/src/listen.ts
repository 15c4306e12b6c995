import { createServer, type Server } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Certificate } from './certificate.ts';
import type { Exchange } from './exchange.ts';
import { buildHttp1Exchange } from './http1-exchange.ts';
import { buildHttp2Exchange } from './http2-exchange.ts';
import { SandboxError } from './sandbox-error.ts';

export type ListenOptions = {
  readonly host: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly certificate: Certificate;
  /** What the server allows one HTTP/2 connection at once. */
  readonly maxConcurrentStreams: number;
  readonly serve: (exchange: Exchange) => void;
};

export type Listening = { readonly port: number; readonly tlsPort: number; close(): Promise<void> };

/** Opens both ports: HTTP/1.1, and TLS with HTTP/2 and HTTP/1.1. Throws `port_taken`. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const sessions = new Set<ServerHttp2Session>();
  const http1 = createServer({ keepAliveTimeout: 120_000 }, (request, response) =>
    options.serve(buildHttp1Exchange(request, response)),
  );
  const http2 = createHttp2Server({ settings: { maxConcurrentStreams: options.maxConcurrentStreams } });
  http2.on('stream', (stream, headers) => options.serve(buildHttp2Exchange(stream, headers)));
  http2.on('sessionError', () => {});
  http2.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  const { certificate: cert, privateKey: key } = options.certificate;
  const tls = createTlsServer({ cert, key, ALPNProtocols: ['h2', 'http/1.1'], noDelay: true });
  const sockets = new Set<Socket>();
  tls.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  // Chosen here rather than by http2's allowHTTP1, which serves HTTP/1.1 only through the slower compatibility layer.
  tls.on('secureConnection', (socket) => (socket.alpnProtocol === 'h2' ? http2 : http1).emit('connection', socket));

  async function close(): Promise<void> {
    const closed = Promise.all([closeServer(http1), closeServer(tls)]);
    http1.closeAllConnections();
    for (const session of sessions) session.destroy();
    for (const socket of sockets) socket.destroy();
    await closed;
  }

  try {
    await open(http1, options.port, options.host);
    await open(tls, options.tlsPort, options.host);
  } catch (error) {
    await close();
    throw error;
  }
  return { port: portOf(http1), tlsPort: portOf(tls), close };
}

function open(server: Server | NetServer, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(taken ? new SandboxError('port_taken', `Port ${port} on ${host} is taken.`, { cause: error }) : error);
    });
    server.listen(port, host, () => resolve());
  });
}

function closeServer(server: NetServer): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function portOf(server: NetServer): number {
  return (server.address() as AddressInfo).port;
}
