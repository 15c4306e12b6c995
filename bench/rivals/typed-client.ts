import { createTradingView, leanHttp2 } from '@pinegate/tradingview';
import { EXPIRES, type Rival, type RivalSetup } from './rival.ts';

const HTTP2_CONNECTIONS = 2;

/** Pinegate's own client in a loop, over one protocol or the other, with the latency of each request. */
export function openTypedClient(setup: RivalSetup, http2: boolean): Rival {
  leanHttp2();
  const { baseUrl, ca, script, sessionid, sessionidSign, inFlight } = setup;
  const connections = http2 ? HTTP2_CONNECTIONS : inFlight;
  const client = createTradingView({ baseUrl, ca, http2, connections });
  const session = Object.freeze({ sessionid, sessionidSign });
  const expiresAt = Date.parse(EXPIRES);
  return {
    async run({ names, count }) {
      const latencies: number[] = [];
      let next = 0;
      let connected = 0;
      async function loop(): Promise<void> {
        while (next < count) {
          const username = `${names}_${next++}`;
          const sentAt = performance.now();
          await client.add(session, { script, username, expiresAt });
          latencies.push(performance.now() - sentAt);
          connected = Math.max(connected, client.pool().connected);
        }
      }
      const startedAt = performance.now();
      await Promise.all(Array.from({ length: inFlight }, loop));
      return { done: count, ms: performance.now() - startedAt, latencies, connections: connected };
    },
    close: () => client.close(),
  };
}
