import type { DestinationStream } from 'pino';

/** How long a line may wait for others, ms. */
const WAIT_MS = 50;
/** What a pipe takes in one piece, bytes: processes that share one must not write into each other's lines. */
const PIECE_BYTES = 4_096;
/** pino's number of `warn`. */
const WARN = 40;
/** pino tells a stream that has this the level of each line. */
const METADATA = Symbol.for('pino.metadata');

const unwritten = new Set<() => void>();
process.once('exit', () => {
  for (const flush of unwritten) flush();
});

/**
 * Writes the lines of a log that come shortly after one another by one call of the system: a line a call was a thirtieth of what a busy
 * process does. A warning or worse goes out at once, with all before it. What a process has not written when it exits is written then; one
 * that is killed with SIGKILL loses its last 50 ms.
 */
export function gatherLines(out: DestinationStream): DestinationStream {
  let text = '';
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (text === '') return;
    const piece = text;
    text = '';
    bytes = 0;
    out.write(piece);
  }

  unwritten.add(flush);
  return {
    [METADATA]: true,
    lastLevel: 0,
    write(line: string) {
      const length = Buffer.byteLength(line);
      if (bytes + length > PIECE_BYTES) flush();
      text += line;
      bytes += length;
      if (this.lastLevel >= WARN) flush();
      else timer ??= setTimeout(flush, WAIT_MS);
    },
  } as DestinationStream & { readonly lastLevel: number };
}
