import type { Readable } from 'node:stream';
import type { ParsedRow } from '@pinegate/access';
import type { LaneClass } from '@pinegate/ledger';
import { Problem } from '../problem.ts';
import type { RowReader } from './row-reader.ts';

/** Rows that are submitted together; all chunks of a batch but the last one have this many. */
export const CHUNK_ROWS = 1_000;

/** A batch of more rows has no one waiting for it. */
const SINGLE_ROWS = 50;

/** Chunks of one upload that are under way at once. */
export const CHUNKS_IN_FLIGHT = 4;

/** Rows of one upload that follow one another. */
export interface RowChunk {
  /** Number of its first row, from 1. */
  readonly first: number;
  readonly rows: readonly ParsedRow[];
  /** Hash of all bytes of the upload up to the end of this chunk. */
  readonly hash: string;
  /** No row follows. */
  readonly last: boolean;
}

/** The body broke off before its end. */
export class BrokenBodyError extends Error {
  readonly code = 'BODY_BROKEN';

  constructor(cause: unknown) {
    super('The body broke off.', { cause });
    this.name = 'BrokenBodyError';
  }
}

/**
 * Reads the pieces of a body into chunks, no faster than they are taken. The last chunk may be empty.
 * Errors: those of the pieces; `Problem` `too_many_rows` and those of the reader.
 */
export async function* readChunks(
  pieces: AsyncIterable<Uint8Array | null>,
  reader: RowReader,
  maxRows: number,
): AsyncGenerator<RowChunk, void, undefined> {
  let rows: ParsedRow[] = [];
  let first = 1;
  let hash = '';
  for await (const bytes of pieces) {
    if (bytes === null) reader.end();
    else reader.feed(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    for (let row = reader.next(); row !== null; row = reader.next()) {
      // A full chunk leaves only when one more row is seen, so that the last one is known as such.
      if (rows.length === CHUNK_ROWS) {
        yield { first, rows, hash, last: false };
        first += CHUNK_ROWS;
        rows = [];
      }
      if (first + rows.length > maxRows) {
        throw new Problem('too_many_rows', `A batch has at most ${maxRows} rows.`, { members: { row: maxRows } });
      }
      rows.push(row);
      if (rows.length === CHUNK_ROWS) hash = reader.digest();
    }
  }
  yield { first, rows, hash: rows.length === CHUNK_ROWS ? hash : reader.digest(), last: true };
}

/** The pieces of a streamed body, and null for its end. Errors: `BrokenBodyError`. */
export async function* piecesOf(body: Readable): AsyncGenerator<Buffer | null, void, undefined> {
  // Not destroyed on return: the socket must live for the answer.
  const pieces = body.iterator({ destroyOnReturn: false });
  for (;;) {
    let piece: IteratorResult<Buffer>;
    try {
      piece = await pieces.next();
    } catch (error) {
      throw new BrokenBodyError(error);
    }
    if (piece.done) break;
    yield piece.value;
  }
  yield null;
}

/** Cuts rows that are in memory into chunks; `hash` stands for the whole body. */
export function* chunksOf(rows: Iterable<ParsedRow>, hash: string): Generator<RowChunk, void, undefined> {
  let chunk: ParsedRow[] = [];
  let first = 1;
  for (const row of rows) {
    if (chunk.length === CHUNK_ROWS) {
      yield { first, rows: chunk, hash, last: false };
      first += CHUNK_ROWS;
      chunk = [];
    }
    chunk.push(row);
  }
  yield { first, rows: chunk, hash, last: true };
}

/** The class of a batch, by its first chunk. */
export function laneOfBatch({ last, rows }: Pick<RowChunk, 'last' | 'rows'>): LaneClass {
  return last && rows.length <= SINGLE_ROWS ? 'single' : 'bulk';
}
