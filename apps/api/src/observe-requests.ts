import type { FastifyInstance } from 'fastify';
import type { ApiMetrics } from './api-metrics.ts';

/** One log line and one count for each request, by route and never by content. */
export function addObservation(app: FastifyInstance, { requested }: ApiMetrics): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method } = request;
    const route = request.routeOptions.url ?? 'none';
    requested({ method, route, statusCode: reply.statusCode, seconds: reply.elapsedTime / 1_000 });
    const level = reply.statusCode >= 500 ? 'warn' : 'info';
    request.log[level](
      {
        method,
        path: request.url.split('?', 1)[0],
        route,
        statusCode: reply.statusCode,
        durationMs: Math.round(reply.elapsedTime * 10) / 10,
        keyId: request.apiKey?.id,
      },
      'request',
    );
  });
}
