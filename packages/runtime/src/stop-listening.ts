import type { Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { settleWithParent } from './processes/parent.ts';

/**
 * Takes no new connections, still answers whatever comes over those that are there, and tells each client to come back over a
 * new one. Resolves when no connection is left, or after `mostMs`. Close the server afterwards: it would close what looks idle at
 * once, and with it connections whose request is under way.
 */
export async function stopListening(server: Server, mostMs: number): Promise<void> {
  server.prependListener('request', (_request, response) => response.setHeader('connection', 'close'));
  // http.Server.close would close idle connections, too.
  const empty = new Promise<void>((resolve) => {
    NetServer.prototype.close.call(server, () => resolve());
  });
  await settleWithParent();
  const waiting = new AbortController();
  await Promise.race([empty, delay(mostMs, undefined, { signal: waiting.signal }).catch(() => {})]);
  waiting.abort();
}
