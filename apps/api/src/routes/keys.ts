import type { ApiKey } from '@pinegate/ledger';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { isoTime } from '../access-view.ts';
import type { ApiContext } from '../api-context.ts';
import { answerAudited } from '../audited.ts';
import { decodeCursor, encodeCursor, invalidCursor } from '../cursor.ts';
import { Problem } from '../problem.ts';
import { apiKey, createdKey, keyBody, keyParams, pageOf, pageQuery, reasonBody, reasonQuery } from '../schemas.ts';

const tags = ['keys'];

/** `/v1/keys`. */
export function keyRoutes(context: ApiContext): FastifyPluginAsyncZod {
  const { directory } = context;
  return async (app) => {
    app.post('/v1/keys', {
      config: { scope: 'admin' },
      schema: {
        tags,
        summary: 'Create an API key',
        description: 'A scope includes no other one.',
        body: keyBody,
        response: { 201: createdKey },
      },
      handler: (request, reply) =>
        answerAudited(context, request, reply, { action: 'key.create', target: request.body.name }, async (entry) => {
          const { key, secret } = await directory.keys.create(request.body.name, request.body.scopes);
          const view = viewKey(key);
          Object.assign(entry, { target: key.id, after: view });
          // The key itself is kept nowhere, not even for a repetition of this request.
          return { status: 201, body: { ...view, key: secret }, stored: { ...view, key: null } };
        }),
    });

    app.get('/v1/keys', {
      config: { scope: 'admin' },
      schema: { tags, summary: 'List the API keys', querystring: pageQuery, response: { 200: pageOf(apiKey) } },
      handler: async ({ query }) => {
        const keys = await directory.keys.list();
        const cursor = decodeCursor(query.cursor) ?? '0';
        if (!/^\d{1,9}$/.test(cursor)) throw invalidCursor();
        const from = Number(cursor);
        const end = from + query.limit;
        return {
          items: keys.slice(from, end).map(viewKey),
          next: encodeCursor(end < keys.length ? String(end) : null),
        };
      },
    });

    app.delete('/v1/keys/:key', {
      config: { scope: 'admin' },
      schema: {
        tags,
        summary: 'Revoke an API key',
        description: 'Takes effect within 5 s.',
        params: keyParams,
        querystring: reasonQuery,
        body: reasonBody,
      },
      handler: (request, reply) =>
        answerAudited(context, request, reply, { action: 'key.remove', target: request.params.key }, async (entry) => {
          const known = (await directory.keys.list()).find(({ id }) => id === request.params.key);
          entry.before = known === undefined ? null : viewKey(known);
          const removed = await directory.keys.remove(request.params.key);
          if (!removed) throw new Problem('unknown_key', 'There is no API key with this id.');
          return { status: 204, body: undefined };
        }),
    });
  };
}

function viewKey({ id, name, scopes, createdAt }: ApiKey) {
  return { id, name, scopes: [...scopes], createdAt: isoTime(createdAt) };
}
