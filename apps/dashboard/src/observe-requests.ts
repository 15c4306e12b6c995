import { createHttpMetrics } from '@pinegate/runtime';
import type { FastifyInstance } from 'fastify';
import type { DashboardContext } from './open-context.ts';

/** One log line and one count for each request, by route and never by content. */
export function addObservation(app: FastifyInstance, { metrics }: Pick<DashboardContext, 'metrics'>): void {
  const observe = createHttpMetrics(metrics);
  app.addHook('onResponse', async (request, reply) => {
    const { method, viewer } = request;
    const { statusCode } = reply;
    const route = request.routeOptions.url ?? 'none';
    observe({ method, route, statusCode, seconds: reply.elapsedTime / 1_000 });
    const durationMs = Math.round(reply.elapsedTime * 10) / 10;
    request.log.info({ method, route, statusCode, durationMs, keyId: viewer?.id }, 'request');
  });
}
