import type { EpochGuard } from '@pinegate/ledger';
import type { FastifyInstance } from 'fastify';
import { emptied, unavailable } from './redis-failure.ts';

// A frozen Redis is told within the second, also where this look waits behind others that are timing out.
const LOOK_MS = 950;

/**
 * Looks, before a request to a route with a scope is worked on, whether Redis is the one it was: an emptied one knows no key, no
 * account and no batch, and must not answer that there are none.
 * Errors: `Problem` `redis_restored`; those of Redis.
 */
export function addEpochCheck(app: FastifyInstance, epoch: Pick<EpochGuard, 'look'>): void {
  app.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.scope !== undefined && !(await lookInTime(epoch))) throw emptied();
  });
}

async function lookInTime(epoch: Pick<EpochGuard, 'look'>): Promise<boolean> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(unavailable()), LOOK_MS);
  try {
    return await Promise.race([epoch.look(), late]);
  } finally {
    clearTimeout(timer);
  }
}
