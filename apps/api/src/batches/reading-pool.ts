import { on } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { Problem } from '../problem.ts';
import type { ProblemCode } from '../problem-codes.ts';
import { buildCredits } from './credits.ts';
import { type PackedRows, unpackRows } from './pack-rows.ts';
import type { BrokenBodyError, RowChunk } from './row-chunks.ts';
import type { StreamFormat } from './stream-format.ts';

/** Pieces of an upload that are with a thread at once. */
const PIECES_AHEAD = 8;
// Uploads are slow as often as not: a thread reads many at once, and none waits for another.
const UPLOADS_PER_THREAD = 1_000;
const IDLE_MS = 60_000;

/** What of an upload its reader must know. */
export interface ReadingOrder extends StreamFormat {
  /** ms since 1970, by which an expiry counts as past. */
  readonly now: number;
  readonly maxRows: number;
}

/** What a thread gets: pieces come through one port (null: the end), chunks leave through the other. */
export interface ReadingTask extends ReadingOrder {
  readonly pieces: MessagePort;
  readonly chunks: MessagePort;
}

/** What a thread answers. */
export type FromThread =
  | ({ readonly kind: 'chunk'; readonly count: number; readonly packed: PackedRows } & Omit<RowChunk, 'rows'>)
  | { readonly kind: 'end'; readonly digest: string }
  | { readonly kind: 'problem'; readonly code: ProblemCode; readonly detail: string; readonly members: object };

/** Threads that parse, clean and check the rows of uploads, so that the process can answer others meanwhile. */
export interface ReadingPool {
  /**
   * The chunks of an upload, and in the end the hash of all its bytes. Takes no more pieces than it can deal with.
   * Errors: `BrokenBodyError` and `Problem`, as `readChunks`.
   */
  read(pieces: AsyncIterable<Uint8Array | null>, order: ReadingOrder): AsyncGenerator<RowChunk, string, undefined>;
  /** Ends the threads; uploads under way fail. */
  close(): Promise<void>;
}

/** Opens a pool of at most `threads`, which are started when the first uploads come. */
export function createReadingPool(threads: number): ReadingPool {
  const pool = new Piscina<ReadingTask, void>({
    filename: new URL('./reading-thread.ts', import.meta.url).href,
    name: 'readUpload',
    minThreads: 0,
    maxThreads: threads,
    concurrentTasksPerWorker: UPLOADS_PER_THREAD,
    idleTimeout: IDLE_MS,
    // A thread that waits in Atomics hears of no message on a port.
    atomics: 'disabled',
  });
  return {
    async *read(pieces, order) {
      const [toThread, fromThread] = [new MessageChannel(), new MessageChannel()];
      const chunks = on(fromThread.port1, 'message', { close: ['close'] });
      const ports = { pieces: toThread.port2, chunks: fromThread.port2 };
      const transferList = [ports.pieces, ports.chunks];
      const done = pool.run({ ...order, ...ports }, { transferList, name: 'readUpload' });
      const closePorts = () => {
        toThread.port1.close();
        fromThread.port1.close();
      };
      done.catch(closePorts);
      const fed = feed(toThread.port1, pieces);
      try {
        for await (const [message] of chunks as AsyncIterable<[FromThread]>) {
          if (message.kind === 'end') return message.digest;
          if (message.kind === 'problem') throw problemOf(message, fed.broken());
          const { kind: _kind, count, packed, ...chunk } = message;
          yield { ...chunk, rows: unpackRows(packed, count) };
          fromThread.port1.postMessage('taken');
        }
        await done;
        throw new Error('A thread has left an upload unread.');
      } finally {
        fed.stop();
        closePorts();
      }
    },
    close: () => pool.destroy(),
  };
}

function problemOf({ code, detail, members }: FromThread & { kind: 'problem' }, broken: BrokenBodyError | null): Error {
  return broken ?? new Problem(code, detail, { members: { ...members } });
}

// Passes the pieces on. Of a body that breaks off the thread hears in its turn, after the pieces before.
function feed(port: MessagePort, pieces: AsyncIterable<Uint8Array | null>) {
  const credits = buildCredits(PIECES_AHEAD);
  let broken: BrokenBodyError | null = null;
  let stopped = false;
  port.on('message', credits.give);
  async function run(): Promise<void> {
    for await (const piece of pieces) {
      await credits.take();
      if (stopped) return;
      // A copy: the piece is a part of a buffer that others use, and a whole buffer moves without being copied again.
      const bytes = piece === null ? null : new Uint8Array(piece);
      port.postMessage(bytes, bytes === null ? [] : [bytes.buffer]);
    }
  }
  run().catch((error: BrokenBodyError) => {
    broken = error;
    port.postMessage('broken');
  });
  return {
    broken: () => broken,
    stop() {
      stopped = true;
      credits.give();
    },
  };
}
