import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { isoTime, isoTimeOrNull } from '../access-view.ts';
import type { ApiContext } from '../api-context.ts';
import { Problem } from '../problem.ts';
import { operationAnswer, operationParams } from '../schemas.ts';

const OPERATION_ID = /^([a-z0-9-]{1,32})\.[A-Za-z0-9_-]{22}$/;

/** `/v1/operations`. */
export function operationRoutes({ ledger, directory }: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.get('/v1/operations/:operation', {
      config: { scope: 'read' },
      schema: {
        tags: ['operations'],
        summary: 'Read a single operation',
        description: 'Operations of a batch have no id of their own. Kept until retention, also when superseded.',
        params: operationParams,
        response: { 200: operationAnswer },
      },
      handler: async ({ params }) => {
        const account = OPERATION_ID.exec(params.operation)?.[1];
        if (account === undefined || (await directory.accounts.get(account)) === null) throw unknownOperation();
        const [part] = await ledger.account(account).readParts([params.operation]);
        if (!part || part.operation === null) throw unknownOperation();
        const { script, username, version, outcome, error } = part.operation;
        const settled = part.pending === 0;
        return {
          id: part.id,
          script: await directory.scripts.nameOf(account, script),
          username,
          version,
          status: settled ? ('settled' as const) : ('pending' as const),
          outcome: settled ? outcome : null,
          error: error === '' ? null : error,
          acceptedAt: isoTime(part.acceptedAt),
          settledAt: isoTimeOrNull(part.settledAt),
        };
      },
    });
  };
}

function unknownOperation(): Problem {
  return new Problem('unknown_operation', 'There is no such single operation, or its retention is over.');
}
