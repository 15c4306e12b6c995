import { fastifySSE } from '@fastify/sse';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { addErrorAnswers, answerError } from './answer-errors.ts';
import type { ApiContext } from './api-context.ts';
import { addAuthentication } from './authenticate.ts';
import { addBodyParsers, MAX_JSON_BYTES } from './body-parsers.ts';
import { addRequestLimits } from './limit-requests.ts';
import { addObservation } from './observe-requests.ts';
import { Problem } from './problem.ts';
import { addEpochCheck } from './refuse-emptied.ts';
import { accessRoutes } from './routes/access.ts';
import { accountRoutes } from './routes/accounts.ts';
import { auditRoutes } from './routes/audit.ts';
import { batchRoutes } from './routes/batches.ts';
import { addDocs } from './routes/docs.ts';
import { flagRoutes } from './routes/flags.ts';
import { healthRoutes } from './routes/health.ts';
import { historyRoutes } from './routes/history.ts';
import { keyRoutes } from './routes/keys.ts';
import { operationRoutes } from './routes/operations.ts';
import { refreshRoutes } from './routes/refreshes.ts';
import { scriptRoutes } from './routes/scripts.ts';
import { usernameRoutes } from './routes/usernames.ts';
import { userRoutes } from './routes/users.ts';
import { addSecurityHeaders } from './security-headers.ts';

const HEARTBEAT_MS = 15_000;
// Longer than any profile address that a username is read from; a path part of more is 404.
const LONGEST_PARAM = 4_096;

/** Builds the API over what `context` opens. Does not listen. */
export async function buildApp(context: ApiContext): Promise<FastifyInstance> {
  const loggerInstance: FastifyBaseLogger = context.log;
  const app: FastifyInstance = fastify({
    loggerInstance,
    // addObservation writes the one line of a request.
    logController: new LogController({ disableRequestLogging: true }),
    // None: with no proxy named, a client's word for its own address is not taken.
    trustProxy: context.trustedProxies.length === 0 ? false : [...context.trustedProxies],
    bodyLimit: MAX_JSON_BYTES,
    // An upload takes as long as it takes; a client that sends no head does not.
    requestTimeout: 0,
    // What comes on an open connection while closing is still answered; the connection is closed then.
    return503OnClosing: false,
    routerOptions: { maxParamLength: LONGEST_PARAM, caseSensitive: true },
    exposeHeadRoutes: false,
    frameworkErrors: (error, request, reply) => {
      answerError(new Problem('invalid_request', 'The address is not well-formed.', { cause: error }), request, reply);
    },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  await addSecurityHeaders(app);
  addErrorAnswers(app);
  addObservation(app, context.counters);
  addBodyParsers(app);
  addEpochCheck(app, context.epoch);
  const attempts = await addRequestLimits(app, context.redis, context.ns);
  addAuthentication(app, context.directory.keys, attempts);
  await app.register(fastifySSE, { heartbeatInterval: HEARTBEAT_MS });
  await addDocs(app);
  await app.register(healthRoutes(context));
  await app.register(accessRoutes(context));
  await app.register(historyRoutes(context));
  await app.register(operationRoutes(context));
  await app.register(userRoutes(context));
  await app.register(batchRoutes(context));
  await app.register(usernameRoutes(context));
  await app.register(scriptRoutes(context));
  await app.register(refreshRoutes(context));
  await app.register(accountRoutes(context));
  await app.register(keyRoutes(context));
  await app.register(flagRoutes(context));
  await app.register(auditRoutes(context));
  return app;
}
