import { type ServerSpan, traceRequest } from '@pinegate/runtime';
import type { FastifyInstance } from 'fastify';
import type { ApiMetrics } from './api-metrics.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What was accepted, for the log line: operation or batch, and its parts, which the lines of jobs name too. */
    about: object | null;
    span: ServerSpan | null;
  }
}

/** One log line and one count for each request, by route and never by content. */
export function addObservation(app: FastifyInstance, { requested }: ApiMetrics): void {
  app.decorateRequest('about', null);
  app.decorateRequest('span', null);
  app.addHook('onRequest', (request, _reply, done) => {
    request.span = traceRequest(request.method, request.headers, done);
  });
  app.addHook('onResponse', async (request, reply) => {
    const { method } = request;
    const route = request.routeOptions.url ?? 'none';
    requested({ method, route, statusCode: reply.statusCode, seconds: reply.elapsedTime / 1_000 });
    request.span?.end(route, reply.statusCode);
    const level = reply.statusCode >= 500 ? 'warn' : 'info';
    request.log[level](
      {
        method,
        path: request.url.split('?', 1)[0],
        route,
        statusCode: reply.statusCode,
        durationMs: Math.round(reply.elapsedTime * 10) / 10,
        keyId: request.apiKey?.id,
        ...request.about,
      },
      'request',
    );
  });
}
