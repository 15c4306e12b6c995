import type { Readable } from 'node:stream';
import { type ParsedRow, parseOperation } from '@pinegate/access';
import type { z } from 'zod';
import { Problem } from '../problem.ts';
import type { batchBody } from '../schemas.ts';
import type { ReadingPool } from './reading-pool.ts';
import { chunksOf, piecesOf, type RowChunk, readChunks } from './row-chunks.ts';
import type { RowReader } from './row-reader.ts';
import { buildReader, type StreamFormat } from './stream-format.ts';

/** A batch has no more rows. */
const MAX_ROWS = 1_000_000;

/** Where the rows of a batch come from. */
export interface BatchSource {
  /**
   * Its rows, once.
   * @param now ms since 1970, by which an expiry counts as past.
   */
  chunks(now: number): AsyncIterable<RowChunk> | Iterable<RowChunk>;
  /** Hash of the whole body; of a stream only once it has been read. */
  fingerprint(): string;
  /** The fingerprint is known before the rows are read. */
  readonly hashed: boolean;
}

/** Rows of a stream. @param pool reads it in one of its threads; null: it is read here. */
export function streamSource(body: Readable, format: StreamFormat, pool: ReadingPool | null): BatchSource {
  if (pool !== null) return pooledSource(body, format, pool);
  let reader: RowReader | null = null;
  return {
    hashed: false,
    fingerprint: () => reader?.digest() ?? '',
    chunks(now) {
      reader = buildReader(format, now);
      return readChunks(piecesOf(body), reader, MAX_ROWS);
    },
  };
}

function pooledSource(body: Readable, format: StreamFormat, pool: ReadingPool): BatchSource {
  let digest = '';
  return {
    hashed: false,
    fingerprint: () => digest,
    async *chunks(now) {
      digest = yield* pool.read(piecesOf(body), { ...format, now, maxRows: MAX_ROWS });
    },
  };
}

/**
 * Rows of a JSON body: a list of operations, or one operation for all pairs, script by script.
 * Errors: `Problem` `too_many_rows`.
 */
export function jsonSource(body: z.output<typeof batchBody>, hash: string): BatchSource {
  const rows = 'operations' in body ? body.operations.length : body.scripts.length * body.usernames.length;
  if (rows > MAX_ROWS)
    throw new Problem('too_many_rows', `A batch has at most ${MAX_ROWS} rows; this one has ${rows}.`);
  const raws = 'operations' in body ? body.operations : pairsOf(body);
  return {
    hashed: true,
    fingerprint: () => hash,
    chunks: (now) => chunksOf(parseAll(raws, now), hash),
  };
}

type Pairs = Exclude<z.output<typeof batchBody>, { operations: unknown }>;

function* pairsOf({ scripts, usernames, ...operation }: Pairs): Generator<unknown> {
  for (const script of scripts) for (const username of usernames) yield { ...operation, script, username };
}

function* parseAll(raws: Iterable<unknown>, now: number): Generator<ParsedRow> {
  for (const raw of raws) yield parseOperation(raw, now);
}
