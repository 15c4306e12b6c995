import type { Permits } from '@pinegate/budget';
import type { Claimed, ClaimedWork, Settlement } from '@pinegate/ledger';
import type { AccountContext } from './account-context.ts';
import { backoffMs } from './backoff.ts';
import { type ClaimTicket, leaseLeft } from './claim-ticket.ts';

type Work = Extract<Claimed, ClaimedWork>;

/** Work under a spelling that is known to be right, or how to settle without a request. */
export type Validated = { readonly work: Work; readonly permits: Permits | null } | { readonly settle: Settlement };

type ValidateContext = Pick<AccountContext, 'knownSpelling' | 'lookUp' | 'budget' | 'limits' | 'monotonic'>;

/**
 * Looks the user up before anything is sent for them: from the cache for nothing, else for a permit of `lookup`. Nobody of that name is refused
 * for good; a look-up that failed says nothing, and the key is tried again later. `permits` comes back or is released.
 */
export async function validateSpelling(
  ctx: ValidateContext,
  ticket: ClaimTicket,
  work: Work,
  permits: Permits | null,
): Promise<Validated> {
  const known = await ctx.knownSpelling(ticket.name);
  if (known !== undefined && known !== null) return { work: spelled(work, known), permits };
  // A look-up needs a slot of its own: were all of them held by keys that wait for one, none would come.
  permits?.release();
  const found = known === null ? null : await lookUp(ctx, ticket);
  const { script, name, token } = ticket;
  const common = { script, name, token, carried: work.version, sent: false } as const;
  if (found === undefined) {
    return { settle: { ...common, result: 'unapplied', code: 'LOOK_UP_FAILED', retryMs: backoffMs(0) } };
  }
  if (found === null) return { settle: { ...common, result: 'rejected', code: 'USER_NOT_FOUND' } };
  return { work: spelled(work, found), permits: work.need === 'base' ? await permitToRead(ctx, ticket) : null };
}

function spelled(work: Work, canonical: string): Work {
  return { ...work, spelling: canonical, spellingAccepted: true };
}

/** undefined: it failed. */
async function lookUp(ctx: ValidateContext, ticket: ClaimTicket): Promise<string | null | undefined> {
  // Room for the look-up itself and for the request after it.
  const maxWaitMs = spare(ctx, ticket) - ctx.limits.requestDeadlineMs;
  if (maxWaitMs <= 0) return undefined;
  try {
    return await ctx.lookUp(ticket.name, { bulk: ticket.bulk, maxWaitMs });
  } catch {
    return undefined;
  }
}

/** A write takes its permit by itself. */
async function permitToRead(ctx: ValidateContext, ticket: ClaimTicket): Promise<Permits | null> {
  const maxWaitMs = spare(ctx, ticket);
  return maxWaitMs <= 0 ? null : ctx.budget.acquire('list', 1, { bulk: ticket.bulk, maxWaitMs });
}

function spare({ limits, monotonic }: ValidateContext, ticket: ClaimTicket): number {
  return leaseLeft(ticket, limits.leaseMs, monotonic()) - limits.requestDeadlineMs;
}
