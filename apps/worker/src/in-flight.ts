/** The cap on keys in hand of one process, over all its accounts. */
export interface InFlight {
  /** Waits for room; answers how many of `n` may go, 0 when aborted. */
  enter(n: number, signal: AbortSignal): Promise<number>;
  leave(n: number): void;
}

/** A counting gate, first come first served. */
export function createInFlight(cap: number): InFlight {
  let free = cap;
  const waiting: (() => void)[] = [];

  return {
    async enter(n, signal) {
      while (free === 0) {
        if (signal.aborted) return 0;
        await new Promise<void>((resolve) => {
          const wake = () => {
            signal.removeEventListener('abort', wake);
            resolve();
          };
          signal.addEventListener('abort', wake, { once: true });
          waiting.push(wake);
        });
      }
      if (signal.aborted) {
        waiting.shift()?.();
        return 0;
      }
      const got = Math.min(n, free);
      free -= got;
      return got;
    },
    leave(n) {
      if (n === 0) return;
      free += n;
      for (const wake of waiting.splice(0, waiting.length)) wake();
    },
  };
}
