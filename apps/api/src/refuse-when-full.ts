import { Problem } from './problem.ts';

/** Errors: `Problem` `storage_full` while nothing more may be written. */
export function refuseWhenFull({ isFull }: { isFull(): boolean }): void {
  if (isFull())
    throw new Problem('storage_full', 'Redis is nearly full. Send the request again later.', { retryAfter: 5 });
}
