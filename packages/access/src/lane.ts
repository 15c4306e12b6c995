/** What an operation asks for. */
export type Action = 'grant' | 'revoke';

/** The four lanes of an account: two for those who wait, two for large batches. */
export const LANES = ['grant', 'revoke', 'grant-bulk', 'revoke-bulk'] as const;

/** A lane of an account; also the name of its queue. */
export type Lane = (typeof LANES)[number];

/**
 * The lane of an operation.
 * @param bulk true for an operation of a batch of more than 50 rows.
 */
export function laneOf(action: Action, bulk: boolean): Lane {
  return bulk ? `${action}-bulk` : action;
}
