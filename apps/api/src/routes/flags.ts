import type { FlagValues } from '@pinegate/flags';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { ApiContext } from '../api-context.ts';
import { answerAudited } from '../audited.ts';
import { flags as flagsAnswer, flagsBody } from '../flag-schemas.ts';

const tags = ['flags'];

/** `/v1/flags`. */
export function flagRoutes(context: ApiContext): FastifyPluginAsyncZod {
  const { flags } = context;
  return async (app) => {
    app.get('/v1/flags', {
      config: { scope: 'read' },
      schema: { tags, summary: 'Read the feature flags', response: { 200: flagsAnswer } },
      handler: () => flags.read(),
    });

    app.put('/v1/flags', {
      config: { scope: 'admin' },
      schema: {
        tags,
        summary: 'Change feature flags',
        description: 'Those that are left out stay. Every process sees the change within 5 seconds.',
        body: flagsBody,
        response: { 200: flagsAnswer },
      },
      handler: (request, reply) =>
        answerAudited(context, request, reply, { action: 'flags.put', target: 'flags' }, async (entry) => {
          const { reason: _reason, ...change } = request.body;
          entry.before = { ...(await flags.read()) };
          const body = await flags.put(change as Partial<FlagValues>);
          entry.after = { ...body };
          return { status: 200, body };
        }),
    });
  };
}
