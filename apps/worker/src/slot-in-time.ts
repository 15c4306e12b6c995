import type { PermittedRequest } from '@pinegate/budget';
import type { AccountContext } from './account-context.ts';
import { type ClaimTicket, leaseLeft } from './claim-ticket.ts';

/** Waits for a request's slot. False: it must not be sent any more, for a pause, or because the lease lacks its deadline by now (R22). */
export async function slotInTime(
  { limits, monotonic }: Pick<AccountContext, 'limits' | 'monotonic'>,
  ticket: ClaimTicket,
  request: PermittedRequest,
): Promise<boolean> {
  if (request.ready === null) return true;
  return (await request.ready) && leaseLeft(ticket, limits.leaseMs, monotonic()) >= limits.requestDeadlineMs;
}
