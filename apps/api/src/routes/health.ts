import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ApiContext } from '../api-context.ts';

const status = z.object({ status: z.string(), reason: z.string().optional() });
const tags = ['health'];

/** `/healthz`, `/readyz` and `/metrics`. */
export function healthRoutes({ ping, metrics }: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    let closing = false;
    app.addHook('preClose', async () => {
      closing = true;
    });

    app.get('/healthz', {
      schema: { tags, summary: 'Whether the process lives', response: { 200: status } },
      handler: async () => ({ status: 'ok' }),
    });

    app.get('/readyz', {
      schema: { tags, summary: 'Whether it may be given work: Redis answers', response: { 200: status, 503: status } },
      handler: async (_request, reply) => {
        reply.header('cache-control', 'no-store');
        if (closing) return reply.code(503).send({ status: 'unavailable', reason: 'closing' });
        try {
          await ping();
          return { status: 'ok' };
        } catch {
          return reply.code(503).send({ status: 'unavailable', reason: 'Redis does not answer' });
        }
      },
    });

    app.get('/metrics', {
      schema: { tags, summary: 'Prometheus metrics', produces: ['text/plain'] },
      handler: async (_request, reply) => {
        reply.type(metrics.contentType);
        return metrics.text();
      },
    });
  };
}
