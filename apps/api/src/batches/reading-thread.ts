import { on } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import { Problem } from '../problem.ts';
import { buildCredits } from './credits.ts';
import { packRows } from './pack-rows.ts';
import type { FromThread, ReadingTask } from './reading-pool.ts';
import { readChunks } from './row-chunks.ts';
import { buildReader } from './stream-format.ts';

/** Chunks that a thread may be ahead. */
const CHUNKS_AHEAD = 4;

/** What a thread of the pool does: reads one upload, whose pieces come through a port, and answers its chunks through another. */
export async function readUpload({ pieces, chunks, now, maxRows, ...format }: ReadingTask): Promise<void> {
  const reader = buildReader(format, now);
  const credits = buildCredits(CHUNKS_AHEAD);
  const tell = (message: FromThread) => chunks.postMessage(message);
  // Nobody takes any more: what is told then is lost, and the pieces have ended too.
  chunks.on('message', credits.give).on('close', credits.give);
  try {
    for await (const { rows, ...chunk } of readChunks(piecesFrom(pieces), reader, maxRows)) {
      await credits.take();
      tell({ kind: 'chunk', ...chunk, count: rows.length, packed: packRows(rows) });
    }
    tell({ kind: 'end', digest: reader.digest() });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    tell({ kind: 'problem', code: error.code, detail: error.message, members: error.members });
  } finally {
    pieces.close();
    chunks.close();
  }
}

async function* piecesFrom(port: MessagePort): AsyncGenerator<Uint8Array | null, void, undefined> {
  for await (const [piece] of on(port, 'message', { close: ['close'] })) {
    // Whose cause it is, the other side knows.
    if (piece === 'broken') throw new Problem('upload_interrupted', 'The body broke off.');
    yield piece;
    if (piece === null) return;
    port.postMessage('taken');
  }
}
