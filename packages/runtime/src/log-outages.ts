import type { Redis } from 'ioredis';
import type { Logger } from './logger.ts';

/** Listens to a client's errors, so that none is unhandled, and logs the first of each outage and its end. */
export function logOutages(client: Redis, role: string, log: Logger | undefined): void {
  let out = false;
  client.on('error', (err: Error) => {
    if (out) return;
    out = true;
    log?.warn({ err, role }, 'Redis cannot be reached');
  });
  client.on('ready', () => {
    if (!out) return;
    out = false;
    log?.info({ role }, 'Redis is back');
  });
}
