import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy whose connections can fall silent for good, as when a firewall forgets them. */
export async function startFreezableProxy(targetPort: number) {
  const sockets = new Set<Socket>();
  let frozen = false;
  const reached = Promise.withResolvers<void>();
  const server = createServer((client) => {
    reached.resolve();
    const upstream = connect({ host: '127.0.0.1', port: targetPort });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    if (frozen) return;
    client.pipe(upstream);
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    /** Resolves when the first connection has come. */
    reached: reached.promise,
    /** Connections open now pass nothing any more, ever; nor do new ones, until thawNewOnly. */
    freeze() {
      frozen = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    thawNewOnly() {
      frozen = false;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
