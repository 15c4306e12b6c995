/** Keeps a lane from taking chunks long before it can work on them: a chunk that is taken has had its turn, and others wait for theirs. */
export interface ChunkGate {
  /** Waits until few keys of the chunks in hand lack a permit; false when aborted. Counts a whole chunk until `taken`. */
  enter(signal: AbortSignal): Promise<boolean>;
  /** After `enter`: the chunk had so many keys, 0 when there was none. */
  taken(keys: number): void;
  /** So many keys lack a permit no more. */
  permitted(keys: number): void;
}

/** Keys of a full chunk. */
export const CHUNK_KEYS = 50;

/** @param most keys without a permit that may be in hand before the next chunk is taken, looked at each time */
export function createChunkGate(most: () => number): ChunkGate {
  const waiting: (() => void)[] = [];
  let lacking = 0;

  const isOpen = () => lacking < Math.max(1, most());

  function change(keys: number): void {
    lacking += keys;
    // The next one looks again after this one has counted its chunk.
    if (isOpen()) waiting.shift()?.();
  }

  function closed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        waiting.splice(waiting.indexOf(wake), 1);
        resolve();
      };
      signal.addEventListener('abort', leave, { once: true });
      waiting.push(wake);
    });
  }

  return {
    async enter(signal) {
      while (!signal.aborted && !isOpen()) await closed(signal);
      if (signal.aborted) return false;
      change(CHUNK_KEYS);
      return true;
    },
    taken: (keys) => change(keys - CHUNK_KEYS),
    permitted: (keys) => change(-keys),
  };
}
