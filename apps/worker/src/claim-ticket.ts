import type { ClaimedWork } from '@pinegate/ledger';

/** A key in hand. */
export interface ClaimTicket {
  readonly script: number;
  readonly pineId: string;
  /** Lower-case key. */
  readonly name: string;
  readonly token: string;
  readonly bulk: boolean;
  /** Local monotonic time from before the claim was sent: the lease is counted from here. */
  readonly sentAt: number;
  /** Local monotonic time at which the claim's answer was here. */
  readonly answeredAt: number;
}

/** Milliseconds of lease that are surely left. */
export function leaseLeft(ticket: ClaimTicket, leaseMs: number, monotonic: number): number {
  return leaseMs - (monotonic - ticket.sentAt);
}

/** A lower bound of Redis TIME now: the claim's own time plus what has passed since its answer was here. */
export function redisTime(ticket: ClaimTicket, work: ClaimedWork, monotonic: number): number {
  return work.claimedAt + (monotonic - ticket.answeredAt);
}
