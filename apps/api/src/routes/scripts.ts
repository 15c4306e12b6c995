import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { ApiContext } from '../api-context.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { pageOf, pageQuery, script } from '../schemas.ts';

/** `/v1/scripts`. */
export function scriptRoutes({ directory }: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.get('/v1/scripts', {
      config: { scope: 'read' },
      schema: {
        tags: ['scripts'],
        summary: 'List the scripts of all accounts',
        querystring: pageQuery,
        response: { 200: pageOf(script) },
      },
      handler: async ({ query }) => {
        const after = decodeCursor(query.cursor) ?? '';
        const found = [...(await directory.scripts.all())].filter(([name]) => name > after);
        found.sort(([a], [b]) => (a < b ? -1 : 1));
        const items = found.slice(0, query.limit).map(([name, { account }]) => ({ script: name, account }));
        const next = found.length > items.length ? (items.at(-1)?.script ?? null) : null;
        return { items, next: encodeCursor(next) };
      },
    });
  };
}
