import { Readable } from 'node:stream';
import { isPineId } from '@pinegate/access';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { ApiContext } from '../api-context.ts';
import { keyOf } from '../authenticate.ts';
import {
  beginRequest,
  derivedId,
  idempotencyKeyOf,
  keyReused,
  type RequestLease,
  replay,
  sendJson,
} from '../idempotency.ts';
import { Problem } from '../problem.ts';
import { refuseWhenFull } from '../refuse-when-full.ts';
import type { ReplyPort } from '../reply-port.ts';
import type { batchBody } from '../schemas.ts';
import { uuidV7 } from '../uuid-v7.ts';
import { type BatchSource, jsonSource, streamSource } from './batch-source.ts';
import type { CsvDefaults } from './csv-columns.ts';
import type { ReadingPool } from './reading-pool.ts';
import { receiveBatch } from './receive-batch.ts';
import { BrokenBodyError } from './row-chunks.ts';
import type { UploadParts } from './upload.ts';

/** Media types of NDJSON. */
export const NDJSON_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];

/** From this size on, in bytes, an upload is read by a thread, where there are any: about 10,000 rows. */
const LARGE_BYTES = 1_048_576;

/** Media type of CSV. */
export const CSV_TYPE = 'text/csv';

/** What the address of a batch says. */
export interface BatchQuery extends CsvDefaults {
  /** Users are looked up before anything is sent for them. */
  readonly validate: boolean;
}

/** Receives a batch in any of its forms and answers 202, once under its Idempotency-Key. */
export async function postBatch(
  context: ApiContext,
  request: FastifyRequest,
  reply: ReplyPort,
  { validate, ...defaults }: BatchQuery,
): Promise<void> {
  refuseWhenFull(context);
  const rows = sourceOf(request, defaults, context.reading);
  const key = idempotencyKeyOf(request);
  const { idempotency } = context.directory;
  const id = `b_${derivedId(request)?.toString('hex') ?? uuidV7(context.now())}`;
  if (key === null) {
    const body = await receive(context, request, { id, rows, lease: null, validate });
    return sendJson(reply, 202, JSON.stringify(body));
  }
  const begun = await beginRequest(idempotency, request, key, rows.hashed ? rows.fingerprint() : null, id);
  if (begun.kind === 'stored') {
    // Of a stream only its end tells whether it is the same body.
    if (!rows.hashed && (await fingerprintOf(rows, context)) !== begun.fingerprint) throw keyReused();
    return replay(reply, begun.status, begun.body);
  }
  const { lease } = begun;
  try {
    const body = JSON.stringify(await receive(context, request, { id: lease.resource, rows, lease, validate }));
    await lease.finish(rows.fingerprint(), 202, body);
    return sendJson(reply, 202, body);
  } catch (error) {
    lease.abandon();
    throw error;
  }
}

interface Receiving {
  readonly id: string;
  readonly rows: BatchSource;
  readonly lease: RequestLease | null;
  readonly validate: boolean;
}

function receive(context: ApiContext, request: FastifyRequest, { id, rows, lease, validate }: Receiving) {
  const { directory, ledger, ring, counters, now } = context;
  const partNames = new Set<string>();
  const parts: UploadParts = {
    directory,
    ledger,
    ring,
    counted: (verdict, count) => counters.rows.inc({ verdict }, count),
    ended: counters.ended,
    took: (account, part) => partNames.add(`${account}:${part}`),
  };
  request.about = {
    batch: id,
    get part() {
      return [...partNames];
    },
  };
  return receiveBatch(parts, {
    id,
    source: keyOf(request).id,
    keyed: lease !== null,
    validate,
    resumed: lease?.resumed ?? false,
    rows,
    flags: context.flags,
    isLost: () => lease?.isLost() ?? false,
    log: request.log,
    now,
  });
}

function sourceOf(request: FastifyRequest, defaults: CsvDefaults, reading: ReadingPool | null): BatchSource {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const hasDefaults = defaults.action !== undefined || defaults.script !== undefined;
  if (hasDefaults && type !== CSV_TYPE) {
    throw new Problem('invalid_request', 'The query action and script stand in for CSV columns only.');
  }
  if (defaults.script !== undefined && !isPineId(defaults.script)) {
    throw new Problem('invalid_script', 'script must be "PUB;" and 32 lower-case hex digits.');
  }
  const pool = sizeOf(request) < LARGE_BYTES ? null : reading;
  if (type === CSV_TYPE) return streamSource(streamOf(request), { format: 'csv', defaults }, pool);
  if (NDJSON_TYPES.includes(type)) return streamSource(streamOf(request), { format: 'ndjson', defaults: {} }, pool);
  if (type === 'application/json') {
    return jsonSource(request.body as z.output<typeof batchBody>, request.bodyHash);
  }
  throw new Problem('unsupported_media_type', `Send application/json, ${NDJSON_TYPES[0]} or ${CSV_TYPE}.`);
}

// What comes without a length may be large.
function sizeOf({ headers }: FastifyRequest): number {
  const length = headers['content-length'];
  return length === undefined ? Number.POSITIVE_INFINITY : Number(length);
}

// A request whose length is 0 is not parsed.
function streamOf({ body }: FastifyRequest): Readable {
  return body instanceof Readable ? body : Readable.from([]);
}

async function fingerprintOf(rows: BatchSource, { now }: ApiContext): Promise<string> {
  try {
    for await (const _chunk of rows.chunks(now()));
  } catch (cause) {
    if (cause instanceof BrokenBodyError) throw new Problem('upload_interrupted', 'The body broke off.', { cause });
    throw cause;
  }
  return rows.fingerprint();
}
