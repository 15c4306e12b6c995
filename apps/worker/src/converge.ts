import { type AccessState, fold } from '@pinegate/access';
import type { Permits } from '@pinegate/budget';
import type { Claimed, ClaimedWork, Settled } from '@pinegate/ledger';
import type { AccountContext } from './account-context.ts';
import { backoffMs } from './backoff.ts';
import { type ClaimTicket, leaseLeft, redisTime } from './claim-ticket.ts';
import { decide } from './decide.ts';
import { sendWrite } from './send-write.ts';
import { slotInTime } from './slot-in-time.ts';
import { validateSpelling } from './validate-spelling.ts';

type Work = Extract<Claimed, ClaimedWork>;

/**
 * A key under our claim, with one permit for its first request: brings upstream there and settles. Rejects only when Redis does.
 * @param onWritten told when no more requests come of it and only the settling of a write is left
 */
export function converge(
  ctx: AccountContext,
  ticket: ClaimTicket,
  work: Work,
  permits: Permits | null,
  onWritten: () => void,
): Promise<Settled> {
  const mustValidate = work.validate && work.need !== 'final' && work.need !== 'verify';
  return (mustValidate ? validateFirst : bringAbout)(ctx, ticket, work, permits, onWritten);
}

async function validateFirst(
  ctx: AccountContext,
  ticket: ClaimTicket,
  work: Work,
  permits: Permits | null,
  onWritten: () => void,
): Promise<Settled> {
  const validated = await validateSpelling(ctx, ticket, work, permits);
  if ('settle' in validated) return ctx.settler.settle(validated.settle, ticket.bulk);
  return bringAbout(ctx, ticket, validated.work, validated.permits, onWritten);
}

function bringAbout(
  ctx: AccountContext,
  ticket: ClaimTicket,
  work: Work,
  permits: Permits | null,
  onWritten: () => void,
): Promise<Settled> {
  if (work.need === 'write') return settleWrite(ctx, ticket, work, permits, onWritten);
  return convergeByReading(ctx, ticket, work, permits, onWritten);
}

async function settleWrite(
  ctx: AccountContext,
  ticket: ClaimTicket,
  work: ClaimedWork,
  permits: Permits | null,
  onWritten: () => void,
): Promise<Settled> {
  const now = redisTime(ticket, work, ctx.monotonic());
  const settlement = await sendWrite(ctx, ticket, work, permits, now);
  onWritten();
  return ctx.settler.settle(settlement, ticket.bulk);
}

/** base, verify and final begin with a read; the first two may go on to a write under the same claim. */
async function convergeByReading(
  ctx: AccountContext,
  ticket: ClaimTicket,
  work: Work,
  permits: Permits | null,
  onWritten: () => void,
): Promise<Settled> {
  const readAt = redisTime(ticket, work, ctx.monotonic());
  const read = await readMember(ctx, ticket, work, permits);
  if ('failed' in read) {
    const settlement = afterFailedRead(ticket, work, read.failed, read.permanent);
    return ctx.settler.settle(settlement, ticket.bulk);
  }
  const { script, name, token } = ticket;
  if (work.need === 'final') {
    const fixed = work.chain.filter((c) => c.version <= work.armedVersion);
    const target = fold(work.base, fixed);
    return ctx.ledger.final(script, name, token, target, read.state, readAt);
  }
  const answer =
    work.need === 'base'
      ? await ctx.ledger.fix(script, name, token, work.version, read.state, readAt)
      : await ctx.ledger.verified(script, name, token, read.state, readAt);
  const goesOn = answer.need === 'write';
  if (work.need === 'verify') ctx.events.verified(ctx.account, goesOn ? 'differs' : 'agrees');
  if (!goesOn) return answer as Settled;
  return settleWrite(ctx, ticket, answer as Work, null, onWritten);
}

type Read = { readonly state: AccessState } | { readonly failed: string; readonly permanent: boolean };

async function readMember(
  ctx: AccountContext,
  ticket: ClaimTicket,
  work: ClaimedWork,
  permits: Permits | null,
): Promise<Read> {
  const session = ctx.session();
  const inTime = leaseLeft(ticket, ctx.limits.leaseMs, ctx.monotonic()) >= ctx.limits.requestDeadlineMs;
  if (!session || !permits || !inTime) {
    permits?.release();
    return { failed: session ? 'NO_PERMIT' : 'NO_SESSION', permanent: false };
  }
  const running = permits.start();
  if (!(await slotInTime(ctx, ticket, running))) {
    running.finish('unsent');
    return { failed: 'NO_PERMIT', permanent: false };
  }
  try {
    const member = await ctx.upstream.listUsers(session, { script: ticket.pineId, username: work.spelling });
    running.finish('ok');
    return { state: member ? { state: 'granted', expiresAt: member.expiresAt } : { state: 'none' } };
  } catch (error) {
    const decision = decide(error);
    running.finish(decision.result, { retryAfterMs: decision.retryAfterMs });
    if (decision.suspectSession) void ctx.suspectSession(session);
    return { failed: decision.code, permanent: decision.verdict === 'rejected' };
  }
}

/** A read that failed applied nothing. A script that is not ours never can be read, so its operations are refused for good. */
function afterFailedRead(ticket: ClaimTicket, work: Work, code: string, permanent: boolean) {
  const { script, name, token } = ticket;
  const common = { script, name, token, carried: work.version, sent: false } as const;
  if (permanent && work.need === 'base') return { ...common, result: 'rejected', code } as const;
  return { ...common, result: 'unapplied', code, retryMs: backoffMs(work.tries) } as const;
}
