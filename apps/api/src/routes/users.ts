import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { type AccessView, viewAccess } from '../access-view.ts';
import type { ApiContext } from '../api-context.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { usernameOf } from '../find-access.ts';
import { access, pageOf, pageQuery, usernameParams } from '../schemas.ts';

// Scripts looked at together.
const STRIDE = 100;

/** `/v1/users`. */
export function userRoutes({ directory, ledger, now }: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.get('/v1/users/:username/access', {
      config: { scope: 'read' },
      schema: {
        tags: ['access'],
        summary: 'Read the accesses of one user to all scripts',
        params: usernameParams,
        querystring: pageQuery,
        response: { 200: pageOf(access) },
      },
      handler: async ({ params, query }) => {
        const username = usernameOf(params.username);
        const after = decodeCursor(query.cursor) ?? '';
        const routes = [...(await directory.scripts.all())].filter(([script]) => script > after);
        routes.sort(([a], [b]) => (a < b ? -1 : 1));
        const items: AccessView[] = [];
        for (let at = 0; at < routes.length && items.length <= query.limit; at += STRIDE) {
          const reads = routes.slice(at, at + STRIDE).map(async ([script, { account, index }]) => {
            const [record] = await ledger.account(account).readAccess(index, [username]);
            return record ? [viewAccess(record, script, now())] : [];
          });
          items.push(...(await Promise.all(reads)).flat());
        }
        const page = items.slice(0, query.limit);
        const next = items.length > query.limit ? (page.at(-1)?.script ?? null) : null;
        return { items: page, next: encodeCursor(next) };
      },
    });
  };
}
