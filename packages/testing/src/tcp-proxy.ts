import { connect, createServer, type Socket } from 'node:net';

export type TcpProxy = {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Connections open now. */
  readonly connections: number;
  /** Breaks all connections and refuses new ones (they are accepted and reset). */
  cut(): void;
  /** Breaks all connections once, with a reset; new ones pass. */
  reset(): void;
  /** Keeps connections open and accepts new ones, but lets nothing through any more. */
  halfOpen(): void;
  /** Holds everything back by that many milliseconds, each way. */
  delay(ms: number): void;
  /** Lets everything through again, what was held back by halfOpen first. */
  resume(): void;
  close(): Promise<void>;
};

type Mode = 'pass' | 'cut' | 'half-open';
type Pair = { client: Socket; upstream: Socket; held: (() => void)[] };

/** A TCP proxy in front of 127.0.0.1:`targetPort`, to break the network between a client and a server. */
export async function createTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let mode: Mode = 'pass';
  let delayMs = 0;

  const server = createServer((client) => {
    if (mode === 'cut') {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ host: '127.0.0.1', port: targetPort, noDelay: true });
    const pair: Pair = { client, upstream, held: [] };
    pairs.add(pair);
    forward(pair, client, upstream);
    forward(pair, upstream, client);
  });

  function forward(pair: Pair, from: Socket, to: Socket): void {
    const pass = (deliver: () => void) => {
      if (mode === 'half-open') pair.held.push(deliver);
      else if (delayMs > 0) setTimeout(deliver, delayMs);
      else deliver();
    };
    from.on('data', (data) => pass(() => void (to.destroyed || to.write(data))));
    from.on('end', () => pass(() => to.end()));
    from.on('error', () => drop(pair));
    from.on('close', () => drop(pair));
  }

  function drop(pair: Pair): void {
    pairs.delete(pair);
    pair.client.destroy();
    pair.upstream.destroy();
  }

  function breakAll(): void {
    for (const pair of pairs) {
      pair.client.resetAndDestroy();
      drop(pair);
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy listens on no TCP port');

  return {
    port: address.port,
    get connections() {
      return pairs.size;
    },
    cut() {
      mode = 'cut';
      breakAll();
    },
    reset: breakAll,
    halfOpen() {
      mode = 'half-open';
    },
    delay(ms) {
      delayMs = ms;
    },
    resume() {
      mode = 'pass';
      delayMs = 0;
      for (const pair of pairs) for (const deliver of pair.held.splice(0)) deliver();
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      breakAll();
      await closed;
    },
  };
}
