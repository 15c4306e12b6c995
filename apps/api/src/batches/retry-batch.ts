import { type RedriveParts, redriveBatch } from '@pinegate/ledger';
import { Problem } from '../problem.ts';

/**
 * Tries the failed operations of a batch again.
 * Errors: `Problem` `unknown_batch`, `batch_cancelled`, `nothing_to_retry`, `too_many_pending`.
 */
export async function retryBatch(parts: RedriveParts, id: string): Promise<void> {
  const redriven = await redriveBatch(parts, id);
  if (redriven === 'unknown') throw unknownBatch(id);
  if (redriven === 'cancelled') throw new Problem('batch_cancelled', 'The batch was cancelled.');
  if (redriven === 'full') throw chainsFull();
  if (redriven === 0) throw new Problem('nothing_to_retry', 'No operation of the batch has failed.');
}

/** The answer where every failed operation would enter a chain that is full. They stay failed. */
export function chainsFull(): Problem {
  return new Problem('too_many_pending', 'Try it again when some operations of these accesses have settled.', {
    retryAfter: 5,
  });
}

/** The answer to the id of no batch. */
export function unknownBatch(id: string): Problem {
  return new Problem('unknown_batch', `There is no batch ${id.slice(0, 60)}, or its retention is over.`);
}
