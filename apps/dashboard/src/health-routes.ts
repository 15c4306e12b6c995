import type { FastifyPluginAsync } from 'fastify';
import type { DashboardContext } from './open-context.ts';

/** `/healthz`, `/readyz` and `/metrics`, without a login. */
export function healthRoutes({ redis, metrics }: DashboardContext): FastifyPluginAsync {
  const config = { open: true };
  return async (app) => {
    let closing = false;
    app.addHook('preClose', async () => {
      closing = true;
    });
    app.get('/healthz', { config }, async () => ({ status: 'ok' }));
    app.get('/readyz', { config }, async (_request, reply) => {
      if (closing) return reply.code(503).send({ status: 'unavailable', reason: 'closing' });
      try {
        await redis.ping();
        return { status: 'ok' };
      } catch {
        return reply.code(503).send({ status: 'unavailable', reason: 'Redis does not answer' });
      }
    });
    app.get('/metrics', { config }, async (_request, reply) =>
      reply.type(metrics.contentType).send(await metrics.text()),
    );
  };
}
