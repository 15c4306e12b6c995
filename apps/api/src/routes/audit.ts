import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { ApiContext } from '../api-context.ts';
import { auditEntry, auditQuery } from '../audit-schemas.ts';
import { CSV_TYPE, NDJSON_TYPES } from '../batches/post-batch.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { exportCsv, exportNdjson, viewEntry } from '../export-audit.ts';
import { pageOf } from '../schemas.ts';

/** `/v1/audit`. */
export function auditRoutes({ directory: { audit } }: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.get('/v1/audit', {
      config: { scope: 'admin' },
      schema: {
        tags: ['audit'],
        summary: 'Who did what, when and why, newest first',
        description:
          'Every action of an operator and every change of accounts, keys and flags; the last 100,000. A page may be short, or empty, and still have a `next`. `format=csv` and `format=ndjson` answer a file with all that matches; no cell of the CSV is a formula to a spreadsheet.',
        querystring: auditQuery,
        response: { 200: pageOf(auditEntry) },
      },
      handler: async ({ query }, reply) => {
        const { format, limit, cursor, ...filter } = query;
        if (format !== 'json') {
          reply
            .header('content-disposition', `attachment; filename="pinegate-audit.${format}"`)
            .type(format === 'csv' ? `${CSV_TYPE}; charset=utf-8` : (NDJSON_TYPES[0] ?? ''));
          return reply.send((format === 'csv' ? exportCsv(audit, filter) : exportNdjson(audit, filter)) as never);
        }
        const page = await audit.list(filter, decodeCursor(cursor), limit);
        return { items: page.items.map(viewEntry), next: encodeCursor(page.next) };
      },
    });
  };
}
