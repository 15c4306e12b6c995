import type { AccessRecord } from '@pinegate/ledger';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { viewAccess } from '../access-view.ts';
import type { ApiContext } from '../api-context.ts';
import { answerAudited } from '../audited.ts';
import { chainsFull } from '../batches/retry-batch.ts';
import { decodeCursor, encodeCursor, invalidCursor } from '../cursor.ts';
import { readKnownAccess, routeOf, usernameOf } from '../find-access.ts';
import { Problem } from '../problem.ts';
import { refuseWhenFull } from '../refuse-when-full.ts';
import { access, accessParams, grantBody, noBody, pageOf, pageQuery, reasonBody, scriptParams } from '../schemas.ts';
import { submitSingle } from '../submit-single.ts';

const PATH = '/v1/scripts/:script/access';
const WAIT = '`Prefer: wait=10` answers 200 when the operation has settled within 10 seconds.';
// A narrow status may need many steps; a page that is empty so far is better than a request that never ends.
const LIST_STEPS = 20;

const tags = ['access'];

type App = Parameters<FastifyPluginAsyncZod>[0];

/** `/v1/scripts/{script}/access`. */
export function accessRoutes(context: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    addAccessWrites(app, context);
    addAccessReads(app, context);
    addAccessRetry(app, context);
  };
}

function addAccessWrites(app: App, context: ApiContext): void {
  app.put(`${PATH}/:username`, {
    config: { scope: 'write' },
    schema: {
      tags,
      summary: 'Grant',
      description: `The operation is accepted and waits for its turn. ${WAIT}`,
      params: accessParams,
      body: grantBody,
      response: { 200: access.describe('Settled'), 202: access.describe('Accepted') },
    },
    handler: (request, reply) =>
      submitSingle(context, request, reply, { ...request.body, action: 'grant', ...request.params }),
  });

  app.delete(`${PATH}/:username`, {
    config: { scope: 'write' },
    schema: {
      tags,
      summary: 'Revoke',
      description: WAIT,
      params: accessParams,
      body: noBody,
      response: { 200: access.describe('Settled'), 202: access.describe('Accepted') },
    },
    handler: (request, reply) => submitSingle(context, request, reply, { action: 'revoke', ...request.params }),
  });
}

function addAccessReads(app: App, context: ApiContext): void {
  const { directory, ledger } = context;

  app.get(`${PATH}/:username`, {
    config: { scope: 'read' },
    schema: { tags, summary: 'Read one access', params: accessParams, response: { 200: access } },
    handler: async ({ params }) => {
      const { record } = await readKnownAccess(context, params.script, params.username);
      return viewAccess(record, params.script, context.now());
    },
  });

  app.get(PATH, {
    config: { scope: 'read' },
    schema: {
      tags,
      summary: 'List the accesses of a script',
      description: 'A page may be short, or empty, and still have a `next`.',
      params: scriptParams,
      querystring: pageQuery.extend({ status: z.enum(['pending', 'settled', 'failed']).optional() }),
      response: { 200: pageOf(access) },
    },
    handler: async ({ params, query }) => {
      const route = await routeOf(directory, params.script);
      let cursor = decodeCursor(query.cursor);
      if (cursor !== null && !/^\d{1,9}:[a-z0-9_.-]{0,64}$/.test(cursor)) throw invalidCursor();
      const { limit, status = null } = query;
      for (let step = 1; ; step++) {
        const page = await ledger.account(route.account).listAccess(route.index, cursor, limit, status);
        cursor = page.next;
        if (page.items.length > 0 || cursor === null || step === LIST_STEPS) {
          const items = page.items.map((record) => viewAccess(record, params.script, context.now()));
          return { items, next: encodeCursor(cursor) };
        }
      }
    },
  });
}

function addAccessRetry(app: App, context: ApiContext): void {
  const { ledger } = context;

  app.post(`${PATH}/:username/retry`, {
    config: { scope: 'write' },
    schema: {
      tags,
      summary: 'Try failed operations of an access again',
      params: accessParams,
      body: reasonBody,
      response: { 202: access },
    },
    handler: (request, reply) => {
      const { script, username } = request.params;
      refuseWhenFull(context);
      const action = { action: 'access.retry', target: `${script} ${username}` } as const;
      return answerAudited(context, request, reply, action, async (entry) => {
        const { route, record: failed } = await readKnownAccess(context, script, username);
        entry.before = auditedAccess(failed);
        const redriven = await ledger.account(route.account).redriveAccess(route.index, usernameOf(username));
        if (redriven === null) {
          throw new Problem('nothing_to_retry', `No operation of ${username} on ${script} has failed.`);
        }
        if (redriven.refused > 0 && redriven.redriven + redriven.superseded === 0) throw chainsFull();
        await context.ring(route.account, redriven.bells);
        const { record } = await readKnownAccess(context, script, username);
        entry.after = auditedAccess(record);
        return { status: 202, body: viewAccess(record, script, context.now()) };
      });
    },
  });
}

function auditedAccess({ version, chain, last }: AccessRecord) {
  return { version, pending: chain.length, outcome: last };
}
