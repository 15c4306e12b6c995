/** How an accepted operation can end: a closed set. Every operation reaches exactly one of them. */
export const OUTCOMES = [
  'granted',
  'changed',
  'revoked',
  'unchanged',
  'superseded',
  'rejected',
  'failed',
  'cancelled',
] as const;

/** One of {@link OUTCOMES}. */
export type Outcome = (typeof OUTCOMES)[number];
