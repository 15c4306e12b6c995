import type { Flags } from '@pinegate/flags';
import { Problem } from './problem.ts';

const RETRY_AFTER_S = 60;

/** What a rejected row says. */
export const REVOKES_OFF = 'Revokes are not accepted at the moment; an operator has switched them off.';

/** Errors: `Problem` `revokes_off` while revokes are switched off. */
export function refuseRevokes({ values }: Flags): void {
  if (!values.acceptRevokes) throw new Problem('revokes_off', REVOKES_OFF, { retryAfter: RETRY_AFTER_S });
}

/** Errors: `Problem` `bulk_off` while large batches are switched off. */
export function refuseBulk({ values }: Flags): void {
  if (values.acceptBulk) return;
  const detail = 'Batches of more than 50 rows are not accepted at the moment; an operator has switched them off.';
  throw new Problem('bulk_off', detail, { retryAfter: RETRY_AFTER_S });
}
