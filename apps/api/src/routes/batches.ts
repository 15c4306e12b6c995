import type { AuditAction, AuditState } from '@pinegate/ledger';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { isoTime } from '../access-view.ts';
import type { ApiContext } from '../api-context.ts';
import { answerAudited } from '../audited.ts';
import { batchEvents } from '../batches/batch-events.ts';
import { buildBatchCancels } from '../batches/cancel-batch.ts';
import { listFailures } from '../batches/list-failures.ts';
import { CSV_TYPE, NDJSON_TYPES, postBatch } from '../batches/post-batch.ts';
import { type BatchView, buildBatchReader } from '../batches/read-batches.ts';
import { retryBatch, unknownBatch } from '../batches/retry-batch.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { Problem } from '../problem.ts';
import { refuseWhenFull } from '../refuse-when-full.ts';
import {
  BATCH_STATES,
  batch,
  batchAccepted,
  batchBody,
  batchParams,
  failure,
  pageOf,
  pageQuery,
  reasonBody,
  reasonQuery,
} from '../schemas.ts';

const PATH = '/v1/batches';
const tags = ['batches'];
// A narrow state may need many pages of the list; an empty page is better than a request that never ends.
const LIST_STEPS = 20;

/** `/v1/batches`. */
export function batchRoutes(context: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    addBatchPost(app, context);
    addBatchReads(app, context);
    addBatchWrites(app, context);
    addBatchEvents(app, context);
  };
}

type App = Parameters<FastifyPluginAsyncZod>[0];

function addBatchPost(app: App, context: ApiContext): void {
  // The stream itself: it is read as fast as the ledger takes its rows.
  app.addContentTypeParser([CSV_TYPE, ...NDJSON_TYPES], (_request, payload, done) => done(null, payload));
  app.post(PATH, {
    config: { scope: 'write' },
    schema: {
      tags,
      summary: 'Submit a batch',
      description: BATCH_TEXT,
      querystring: z.strictObject({
        action: z.enum(['grant', 'revoke']).optional().describe('Stands in for a missing CSV column'),
        script: z.string().max(200).optional().describe('Stands in for a missing CSV column'),
        validate: z
          .enum(['true', 'false'])
          .optional()
          .describe('true: unknown users end `rejected` before a request for them is sent'),
      }),
      body: { content: { 'application/json': { schema: batchBody } } },
      response: { 202: batchAccepted },
    },
    handler: (request, reply) => {
      const { validate, ...defaults } = request.query;
      return postBatch(context, request, reply, { ...defaults, validate: validate === 'true' });
    },
  });
}

function addBatchReads(app: App, { directory, ledger, log }: ApiContext): void {
  const reader = buildBatchReader(directory, ledger, log);

  app.get(`${PATH}/:batch`, {
    config: { scope: 'read' },
    schema: { tags, summary: 'Read a batch', params: batchParams, response: { 200: batch } },
    handler: async ({ params }) => {
      const seen = await reader.read(params.batch);
      if (seen === null) throw unknownBatch(params.batch);
      return seen;
    },
  });

  app.get(PATH, {
    config: { scope: 'read' },
    schema: {
      tags,
      summary: 'List batches, newest first',
      description: 'With a state, a page may be short, or empty, and still have a `next`.',
      querystring: pageQuery.extend({ state: z.enum(BATCH_STATES).optional() }),
      response: { 200: pageOf(batch) },
    },
    handler: async ({ query }) => {
      const items: BatchView[] = [];
      let cursor = decodeCursor(query.cursor);
      for (let step = 0; step < LIST_STEPS && items.length < query.limit; step++) {
        const page = await directory.batches.list(cursor, query.limit - items.length);
        const seen = await reader.view(page.items);
        items.push(...seen.filter(({ state }) => query.state === undefined || state === query.state));
        cursor = page.next;
        if (cursor === null) break;
      }
      return { items, next: encodeCursor(cursor) };
    },
  });

  app.get(`${PATH}/:batch/failures`, {
    config: { scope: 'read' },
    schema: {
      tags,
      summary: 'List operations of a batch that ended rejected or failed',
      params: batchParams,
      querystring: pageQuery,
      response: { 200: pageOf(failure) },
    },
    handler: async ({ params, query }) => {
      const record = await directory.batches.get(params.batch);
      if (record === null) throw unknownBatch(params.batch);
      const page = await listFailures(ledger, record, decodeCursor(query.cursor), query.limit);
      const items = page.items.map(async ({ account, failure: { script, username, version, outcome, code, at } }) => {
        return {
          script: await directory.scripts.nameOf(account, script),
          username,
          version,
          outcome,
          code,
          at: isoTime(at),
        };
      });
      return { items: await Promise.all(items), next: encodeCursor(page.next) };
    },
  });
}

function addBatchWrites(app: App, context: ApiContext): void {
  const { directory, ledger, counters, log } = context;
  const reader = buildBatchReader(directory, ledger, log);
  const cancels = buildBatchCancels(directory, ledger, counters.ended, log);
  app.addHook('onClose', () => cancels.close());

  async function read(id: string): Promise<BatchView> {
    const seen = await reader.read(id);
    if (seen === null) throw unknownBatch(id);
    return seen;
  }

  app.delete(`${PATH}/:batch`, {
    config: { scope: 'write' },
    schema: {
      tags,
      summary: 'Cancel what is pending of a batch',
      description:
        'The state is `cancelled` at once, `pending` falls afterwards: what is being written runs on. A batch that is done stays done.',
      params: batchParams,
      querystring: reasonQuery,
      body: reasonBody,
      response: { 202: batch },
    },
    handler: (request, reply) =>
      answerAudited(context, request, reply, actionOn(request, 'batch.cancel'), async (entry) => {
        const id = request.params.batch;
        const seen = await read(id);
        entry.before = auditedBatch(seen);
        if (seen.state !== 'done') await cancels.cancel(id);
        const body = await read(id);
        entry.after = auditedBatch(body);
        return { status: 202, body };
      }),
  });

  app.post(`${PATH}/:batch/retry`, {
    config: { scope: 'write' },
    schema: {
      tags,
      summary: 'Try the failed operations of a batch again',
      description: 'One that a later operation has overtaken becomes `superseded`.',
      params: batchParams,
      body: reasonBody,
      response: { 202: batch },
    },
    handler: (request, reply) => {
      refuseWhenFull(context);
      return answerAudited(context, request, reply, actionOn(request, 'batch.retry'), async (entry) => {
        const id = request.params.batch;
        entry.before = auditedBatch(await read(id));
        await retryBatch(context, id);
        const body = await read(id);
        entry.after = auditedBatch(body);
        return { status: 202, body };
      });
    },
  });
}

function actionOn(request: { readonly params: { readonly batch: string } }, action: AuditAction) {
  return { action, target: request.params.batch };
}

function auditedBatch({ state, pending, outcomes }: BatchView): AuditState {
  return { state, pending, outcomes };
}

function addBatchEvents(app: App, { directory, ledger, log }: ApiContext): void {
  const reader = buildBatchReader(directory, ledger, log);
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort());

  app.get(`${PATH}/:batch/events`, {
    // The batch is looked up, and an Accept header judged, before anything is streamed.
    sse: { kind: 'manual' },
    config: { scope: 'read' },
    schema: {
      tags,
      summary: 'Follow a batch (server-sent events)',
      description:
        '`progress` at most twice a second and `done` at the end, each with the batch. `Last-Event-ID` resumes.',
      params: batchParams,
      produces: ['text/event-stream'],
    },
    handler: async (request, reply) => {
      const { batch: id } = request.params;
      const accept = request.headers.accept ?? '*/*';
      if (!/text\/event-stream|text\/\*|\*\/\*/i.test(accept)) {
        throw new Problem('not_acceptable', 'This route answers with text/event-stream.');
      }
      if ((await directory.batches.get(id)) === null) throw unknownBatch(id);
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const signal = AbortSignal.any([gone.signal, closing.signal]);
      await reply.sse.send(batchEvents(() => reader.read(id), reply.sse.lastEventId, signal));
    },
  });
}

const BATCH_TEXT = `Rows in one of four forms:

- JSON \`{"operations":[{"action":"grant","script":"PUB;…","username":"…","expiresAt":null},{"action":"revoke",…}]}\`
- JSON for all pairs \`{"action":"grant","scripts":["PUB;…"],"usernames":["…"],"duration":"30D"}\`, counted script by script
- \`application/x-ndjson\`: one operation a line
- \`text/csv\`: the first line names the columns, out of \`action,script,username,expires_at,duration,extend_by\`; \`?action=\` and
  \`?script=\` stand in for a missing column; a lifetime is written \`lifetime\`, an empty cell is an absent value

A row that cannot be taken is rejected, with its number (from 1; blank lines and the CSV header are no rows) and a code, and the
others go on. JSON to 8 MiB, streams to 1,000,000 rows. With an \`Idempotency-Key\` an upload that broke off resumes when it is sent
again; rows that extend need one.

With \`?validate=true\` a worker looks every user up before it sends anything for them, unless it knows them already: those who do not exist
end \`rejected\` with the code \`USER_NOT_FOUND\` (see the failures of the batch) for a look-up of their own, or for nothing where the
cache knows so. Rows are accepted as always; a look-up that fails is tried again.`;
