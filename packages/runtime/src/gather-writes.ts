import type { Writable } from 'node:stream';

/**
 * Has what is written to a stream in one turn sent by one call of the system, once everything has run that the turn has set going. A client
 * of Redis writes each command by itself, and the call costs more than all else that is done for the command.
 */
export function gatherWrites(stream: Writable): void {
  const write = stream.write;
  const send = () => stream.uncork();
  stream.write = function gathered(this: Writable, ...given: Parameters<Writable['write']>) {
    if (stream.writableCorked === 0) {
      stream.cork();
      process.nextTick(send);
    }
    return write.apply(this, given);
  } as Writable['write'];
}
