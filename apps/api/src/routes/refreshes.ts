import { randomBytes } from 'node:crypto';
import { DRIFT_KINDS } from '@pinegate/ledger';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ApiContext } from '../api-context.ts';
import { answerAudited } from '../audited.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { routeOf } from '../find-access.ts';
import { derivedId } from '../idempotency.ts';
import { Problem } from '../problem.ts';
import { drift, refresh, refreshBody, refreshParams } from '../refresh-schemas.ts';
import { accountOfRefresh, type RefreshView, readRefresh, viewDrift } from '../refresh-view.ts';
import { refuseWhenFull } from '../refuse-when-full.ts';
import { pageOf, pageQuery, scriptParams } from '../schemas.ts';

const tags = ['refreshes'];

/** `/v1/scripts/{script}/refresh` and `/v1/refreshes`. */
export function refreshRoutes(context: ApiContext): FastifyPluginAsyncZod {
  const { directory, ledger, askRefresh } = context;

  async function read(id: string): Promise<RefreshView> {
    const account = accountOfRefresh(id) ?? '';
    const seen = await readRefresh(ledger, id, (index) => directory.scripts.nameOf(account, index));
    if (seen === null) throw unknownRefresh(id);
    return seen;
  }

  return async (app) => {
    app.post('/v1/scripts/:script/refresh', {
      config: { scope: 'write' },
      schema: {
        tags,
        summary: "Read a script's whole member list",
        description: TEXT,
        params: scriptParams,
        body: refreshBody,
        response: { 202: refresh },
      },
      handler: async (request, reply) => {
        refuseWhenFull(context);
        const { mode } = request.body;
        const route = await routeOf(directory, request.params.script);
        const id = `${route.account}.${(derivedId(request) ?? randomBytes(16)).toString('base64url')}`;
        const action = { action: 'script.refresh', target: request.params.script } as const;
        return answerAudited(context, request, reply, action, async (entry) => {
          const begun = await ledger.account(route.account).refreshes.begin(id, route.index, mode);
          if (begun.status === 'busy') throw refreshRunning(begun.id);
          await askRefresh(route.account, id);
          entry.after = { refresh: id, mode };
          return { status: 202, body: await read(id) };
        });
      },
    });

    app.get('/v1/refreshes/:refresh', {
      config: { scope: 'read' },
      schema: { tags, summary: 'Read a refresh', params: refreshParams, response: { 200: refresh } },
      handler: ({ params }) => read(params.refresh),
    });

    app.get('/v1/refreshes/:refresh/drift', {
      config: { scope: 'read' },
      schema: {
        tags,
        summary: 'List what differed, one kind of it',
        description: 'Of each kind the first 10,000 are kept.',
        params: refreshParams,
        querystring: pageQuery.extend({ kind: z.enum(DRIFT_KINDS) }),
        response: { 200: pageOf(drift) },
      },
      handler: async ({ params, query }) => {
        const { id } = await read(params.refresh);
        const { refreshes } = ledger.account(accountOfRefresh(id) ?? '');
        const cursor = decodeCursor(query.cursor);
        if (cursor !== null && !/^\d{1,6}$/.test(cursor))
          throw new Problem('invalid_cursor', 'The cursor is none of this list.');
        const page = await refreshes.drift(id, query.kind, cursor, query.limit);
        return { items: page.items.map(viewDrift), next: encodeCursor(page.next) };
      },
    });
  };
}

function unknownRefresh(id: string): Problem {
  return new Problem('unknown_refresh', `There is no refresh ${id.slice(0, 60)}, or its retention is over.`);
}

function refreshRunning(id: string): Problem {
  return new Problem('refresh_running', `The script is being refreshed: see ${id}.`, { members: { refresh: id } });
}

const TEXT = `A worker reads every page of the list and compares it with what is known here; nothing is ever written to TradingView. With
\`report\` that is all; with \`adopt\` the list counts as known afterwards, save accesses with an operation under way or newer than the list. A
list that is not read to its end is refused: the refresh is \`failed\`, and nothing is compared or adopted. One refresh of a script at a time:
409 \`refresh_running\` with the id of the other one.`;
