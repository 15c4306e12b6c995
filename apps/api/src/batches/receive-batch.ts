import type { Flags } from '@pinegate/flags';
import type { BatchRecord, Directory } from '@pinegate/ledger';
import type { FastifyBaseLogger } from 'fastify';
import type { z } from 'zod';
import { Problem } from '../problem.ts';
import { redisProblem } from '../redis-failure.ts';
import { refuseBulk } from '../refuse-by-flag.ts';
import type { batchAccepted } from '../schemas.ts';
import type { BatchSource } from './batch-source.ts';
import { persist } from './persist.ts';
import { buildBatchReader } from './read-batches.ts';
import { buildRouteBook } from './route-book.ts';
import { BrokenBodyError, laneOfBatch, type RowChunk } from './row-chunks.ts';
import { runUpload, type UploadParts, type UploadProgress } from './upload.ts';

const HOLD_MS = 3_000;
const SHOWN_REJECTIONS = 100;

/** One request that brings rows of a batch. */
export interface BatchRequest {
  readonly id: string;
  /** Id of the API key. */
  readonly source: string;
  readonly keyed: boolean;
  readonly validate: boolean;
  /** An earlier request for this batch has died. */
  readonly resumed: boolean;
  readonly rows: BatchSource;
  /** Another request has taken over. */
  isLost(): boolean;
  readonly flags: Flags;
  readonly log: FastifyBaseLogger;
  now(): number;
}

/**
 * Receives the rows of a batch, or the rest of them, and answers what was made of all of them.
 * Errors: `Problem` with `id` and `row` for an upload that ends early; it is then `interrupted`.
 */
export async function receiveBatch(parts: UploadParts, request: BatchRequest): Promise<z.output<typeof batchAccepted>> {
  const { directory } = parts;
  const { id, rows: source } = request;
  const known = request.resumed ? await directory.batches.get(id) : null;
  // The clock of the first request, so that a row keeps its verdict.
  const chunks = source.chunks(known?.createdAt ?? request.now());
  const progress: UploadProgress = { rows: 0 };
  let record: BatchRecord | null = null;
  let hold: NodeJS.Timeout | undefined;
  let total = 0;

  async function* received(): AsyncGenerator<RowChunk, void, undefined> {
    for await (const chunk of chunks) {
      if (total === 0 && laneOfBatch(chunk) === 'bulk') refuseBulk(request.flags);
      total = chunk.first + chunk.rows.length - 1;
      yield chunk;
    }
  }

  async function open(): Promise<void> {
    record = await openBatch(directory, request);
    hold = setInterval(() => {
      directory.batches
        .renewUpload(id)
        .catch((err) => request.log.warn({ err, batch: id }, 'an upload was not renewed'));
    }, HOLD_MS);
    hold.unref();
  }

  try {
    const upload = {
      batch: id,
      source: request.source,
      keyed: request.keyed,
      validate: request.validate,
      acceptRevokes: () => record?.acceptRevokes ?? true,
      check: () => checkLease(request),
    };
    // Only now may anything be written: a body that is not what it says has failed by then.
    const opened = afterFirst(received(), open);
    const routes = buildRouteBook(directory.scripts);
    await runUpload(parts, { ...upload, routes }, opened, progress);
    await persist(() => directory.batches.setUpload(id, 'complete', total));
    const answer = await summarize(directory, id, total);
    lookWhetherSettled(parts, request);
    return answer;
  } catch (error) {
    if (record === null && !(error instanceof BrokenBodyError)) throw error;
    throw await interrupt(directory, request, progress, error);
  } finally {
    clearInterval(hold);
  }
}

// Calls `open` when the first chunk has been read, before it is passed on.
async function* afterFirst<T>(items: AsyncIterable<T>, open: () => Promise<void>): AsyncGenerator<T, void, undefined> {
  let first = true;
  for await (const item of items) {
    if (first) await open();
    first = false;
    yield item;
  }
}

async function openBatch(directory: Directory, { id, source, flags }: BatchRequest): Promise<BatchRecord> {
  await directory.batches.create(id, source, { acceptRevokes: flags.values.acceptRevokes });
  const record = await directory.batches.get(id);
  if (record === null) throw new Error('The batch is gone as soon as it was made.');
  if (record.cancelled) {
    throw new Problem('batch_cancelled', 'The batch was cancelled; send its rows under another Idempotency-Key.');
  }
  if (record.upload !== 'receiving') await directory.batches.setUpload(id, 'receiving', record.rows);
  return record;
}

function checkLease(request: BatchRequest): void {
  if (request.isLost()) throw new Problem('request_running', 'Another request goes on with this upload.');
}

// Work that ended before the upload did has found an upload under way, and no retention was begun.
function lookWhetherSettled({ directory, ledger }: UploadParts, { id, log }: BatchRequest): void {
  buildBatchReader(directory, ledger, log)
    .read(id)
    .catch((err) => log.warn({ err, batch: id }, 'a batch was not looked at after its upload'));
}

async function summarize(directory: Directory, id: string, rows: number) {
  const [record, rejections] = await Promise.all([
    directory.batches.get(id),
    directory.batches.rejections(id, SHOWN_REJECTIONS),
  ]);
  const rejected = record?.rejected ?? 0;
  return { id, rows, accepted: rows - rejected, rejected, rejections: [...rejections] };
}

// Notes how far the upload came, and makes of the error what its client hears.
async function interrupt(
  directory: Directory,
  request: BatchRequest,
  { rows }: UploadProgress,
  error: unknown,
): Promise<unknown> {
  const { id, source, log } = request;
  const broken = error instanceof BrokenBodyError;
  if (!request.isLost()) {
    try {
      if (broken) await directory.batches.create(id, source, { acceptRevokes: request.flags.values.acceptRevokes });
      await directory.batches.setUpload(id, 'interrupted', rows);
    } catch (err) {
      // It counts as interrupted anyway once nobody renews it.
      log.warn({ err, batch: id }, 'an interrupted upload was not noted');
    }
  }
  const members = { id, row: rows };
  if (broken) {
    const detail = `The upload broke off; rows up to ${rows} are taken. Send it again under its Idempotency-Key to go on.`;
    return new Problem('upload_interrupted', detail, { members, cause: error });
  }
  const problem = error instanceof Problem ? error : redisProblem(error);
  if (problem === null) return error;
  const { code, message, retryAfter, cause } = problem;
  return new Problem(code, message, {
    members: { ...members, ...problem.members },
    cause,
    ...(retryAfter === null ? {} : { retryAfter }),
  });
}
