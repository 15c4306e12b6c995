import { formatDuration } from '@pinegate/access';
import type { HistoryRecord } from '@pinegate/ledger';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { isoTime, isoTimeOrNull } from '../access-view.ts';
import type { ApiContext } from '../api-context.ts';
import { decodeCursor, encodeCursor, invalidCursor } from '../cursor.ts';
import { readKnownAccess } from '../find-access.ts';
import { accessParams, historyEntry, pageOf, pageQuery } from '../schemas.ts';

// An account's whole history takes a hundred steps; a page that is short so far is better than a request that holds Redis up.
const STEPS = 25;

/** `/v1/scripts/{script}/access/{username}/history`. */
export function historyRoutes(context: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.get('/v1/scripts/:script/access/:username/history', {
      config: { scope: 'read' },
      schema: {
        tags: ['access'],
        summary: 'The operations of an access that ended, newest first',
        description:
          'Out of the last 100,000 operations of the account that ended. A page may be short, or empty, and still have a `next`.',
        params: accessParams,
        querystring: pageQuery,
        response: { 200: pageOf(historyEntry) },
      },
      handler: async ({ params, query }) => {
        let cursor = decodeCursor(query.cursor);
        if (cursor !== null && !/^\d{1,15}-\d{1,9}:\d{1,4}$/.test(cursor)) throw invalidCursor();
        const { route, record } = await readKnownAccess(context, params.script, params.username);
        const ledger = context.ledger.account(route.account);
        const found: HistoryRecord[] = [];
        for (let step = 1; step <= STEPS && found.length < query.limit; step++) {
          const page = await ledger.readHistory(route.index, record.username, cursor, query.limit - found.length);
          found.push(...page.items);
          cursor = page.next;
          if (cursor === null) break;
        }
        return { items: found.map(viewHistory), next: encodeCursor(cursor) };
      },
    });
  };
}

function viewHistory({ at, version, asked, outcome, code, source, kind, id }: HistoryRecord) {
  return {
    at: isoTime(at),
    version,
    ...viewAsked(asked),
    outcome,
    error: code,
    source,
    operation: kind === 'single' ? id : null,
    batch: kind === 'batch' ? id : null,
  };
}

function viewAsked(asked: HistoryRecord['asked']) {
  switch (asked.kind) {
    case 'revoke':
      return { action: 'revoke' as const };
    case 'set':
      return { action: 'grant' as const, expiresAt: isoTimeOrNull(asked.expiresAt) };
    case 'set-for':
      return { action: 'grant' as const, duration: formatDuration(asked.duration) };
    case 'extend':
      return { action: 'grant' as const, extendBy: formatDuration(asked.duration) };
  }
}
