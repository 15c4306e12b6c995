import type { CachedName } from './cached-name.ts';
import type { LookUpLock } from './look-up-lock.ts';

const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 250;
/** A holder that lives this long without an answer is not waited for any longer. */
const WAIT_MS = 30_000;

/** What a look-up shared between processes is made of. */
export interface SharedLookUp {
  readonly lock: LookUpLock;
  readonly lockKey: string;
  /** What another process has stored; null = nothing. */
  readonly read: () => Promise<CachedName | null>;
  /** Asks upstream and stores the answer. */
  readonly ask: () => Promise<CachedName>;
  readonly pause: (ms: number) => Promise<void>;
  readonly clock: () => number;
}

/**
 * One process asks, the others wait for what it stores. Where it fails or dies, the next in line asks. Where Redis does not answer, everyone
 * asks for himself.
 */
export async function lookUpOnce({ lock, lockKey, read, ask, pause, clock }: SharedLookUp): Promise<CachedName> {
  const until = clock() + WAIT_MS;
  for (let wait = FIRST_PAUSE_MS; clock() < until; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
    const release = await lock.take(lockKey).catch(() => 'unavailable' as const);
    if (release === 'unavailable') return ask();
    if (release) {
      try {
        // The holder before us may have stored its answer since we last looked.
        return (await read()) ?? (await ask());
      } finally {
        await release();
      }
    }
    await pause(wait);
    const stored = await read();
    if (stored) return stored;
  }
  return ask();
}
