import fastifyCookie from '@fastify/cookie';
import fastifyFormbody from '@fastify/formbody';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { ZodError } from 'zod';
import { actionRoutes } from './action-routes.ts';
import { addAuthentication } from './authenticate.ts';
import { boardRoutes } from './board-routes.ts';
import { healthRoutes } from './health-routes.ts';
import { addLogin } from './login-routes.ts';
import { addObservation } from './observe-requests.ts';
import type { DashboardContext } from './open-context.ts';
import { overviewRoutes } from './overview/overview-routes.ts';
import { addPageHeaders } from './page-headers.ts';
import { refuseCrossSite } from './refuse-cross-site.ts';

const MAX_BODY_BYTES = 256 * 1024;

/** Builds the dashboard over what `context` opens. Does not listen. */
export async function buildApp(context: DashboardContext): Promise<FastifyInstance> {
  const loggerInstance: FastifyBaseLogger = context.log;
  const app: FastifyInstance = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: context.trustedProxies.length === 0 ? false : [...context.trustedProxies],
    bodyLimit: MAX_BODY_BYTES,
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error instanceof ZodError ? 400 : (error.statusCode ?? 503);
    if (status >= 500) request.log.error({ err: error }, 'a request failed');
    const told = error instanceof ZodError ? 'The form is not well-formed.' : error.message;
    const said = status >= 500 ? 'The dashboard cannot answer: is Redis up?' : told;
    return reply.code(status).type('text/plain; charset=utf-8').send(said);
  });
  addObservation(app, context);
  refuseCrossSite(app);
  addPageHeaders(app);
  await app.register(fastifyCookie);
  await app.register(fastifyFormbody);
  addAuthentication(app, context);
  addLogin(app, context);
  await app.register(healthRoutes(context));
  await app.register(overviewRoutes(context));
  await app.register(actionRoutes(context));
  await app.register(boardRoutes(context), { prefix: '/queues' });
  return app;
}
