import { setTimeout as delay } from 'node:timers/promises';
import { type AccessState, effectiveState, fold } from '@pinegate/access';
import type { Permits } from '@pinegate/budget';
import type { ClaimedWork, SessionResult, Settlement } from '@pinegate/ledger';
import type { AccountContext } from './account-context.ts';
import { backoffMs } from './backoff.ts';
import { type ClaimTicket, leaseLeft } from './claim-ticket.ts';
import { type Decision, decide } from './decide.ts';
import { slotInTime } from './slot-in-time.ts';

type Call = 'add' | 'modify' | 'remove';

/** What settling must have left of a lease. */
const SETTLE_MS = 3_000;

/** Follow-ups of one claim: modify after exists, add after 422, one more spelling. */
const MOST_REQUESTS = 6;

/** What a write under a claim has come to so far. */
interface Write {
  readonly ctx: AccountContext;
  readonly ticket: ClaimTicket;
  readonly work: ClaimedWork;
  readonly target: AccessState;
  spelling: string;
  spellingAccepted: boolean;
  lookedUp: boolean;
  sent: boolean;
  /** A remove went through and its add did not yet: the state is not the one before. */
  halfDone: boolean;
  permits: Permits | null;
}

type Step = { readonly next: Call } | { readonly settle: Settlement };

/**
 * Brings the upstream to what the chain folds to, and says how to settle: the send rules of protocol.md. `permits` holds one permit for
 * the first request; more are taken as follow-ups need them. Never rejects.
 * @param now lower bound of Redis TIME, ms
 */
export async function sendWrite(
  ctx: AccountContext,
  ticket: ClaimTicket,
  work: ClaimedWork,
  permits: Permits | null,
  now: number,
): Promise<Settlement> {
  const target = effectiveState(fold(work.base, work.chain), now);
  const w: Write = {
    ctx,
    ticket,
    work,
    target,
    spelling: work.spelling,
    spellingAccepted: work.spellingAccepted,
    lookedUp: false,
    sent: false,
    halfDone: false,
    permits,
  };
  if (work.sure && isSame(target, work.base)) return applied(w, 'unchanged');
  let call = firstCall(w, now);
  for (let n = 0; n < MOST_REQUESTS; n++) {
    const step = await request(w, call);
    if ('settle' in step) return step.settle;
    call = step.next;
  }
  return w.halfDone
    ? uncertain(w, 'TOO_MANY_REQUESTS', true)
    : unapplied(w, 'TOO_MANY_REQUESTS', backoffMs(work.tries));
}

function isSame(a: AccessState, b: AccessState): boolean {
  if (a.state !== b.state) return false;
  return a.state !== 'granted' || (b.state === 'granted' && a.expiresAt === b.expiresAt);
}

function firstCall({ work, target, ctx }: Write, now: number): Call {
  if (target.state === 'none') return 'remove';
  const base = effectiveState(work.base, now);
  const member = work.member ?? (work.sure && base.state === 'granted');
  if (!member) return 'add';
  return mustReplace(target, ctx) && base.state === 'granted' && base.expiresAt !== null ? 'remove' : 'modify';
}

/** The upstream's switch: a lifetime cannot be made by modify, so remove, then add, under one claim. */
function mustReplace(target: AccessState, ctx: AccountContext): boolean {
  return target.state === 'granted' && target.expiresAt === null && !ctx.limits.modifyMakesLifetime;
}

/** What the lease has left beyond the deadline of a request (R22). */
function spareMs({ ctx: { limits, monotonic }, ticket }: Write): number {
  return leaseLeft(ticket, limits.leaseMs, monotonic()) - limits.requestDeadlineMs;
}

/** The permit in hand, where there is time to use it. */
function heldPermit(w: Write): Permits | null {
  const held = w.permits;
  w.permits = null;
  if (!held || spareMs(w) >= 0) return held;
  held.release();
  return null;
}

/** A permit for the next request, or null where none comes in time. */
async function permitFor(w: Write, call: Call): Promise<Permits | null> {
  const spare = spareMs(w);
  if (spare <= 0) return null;
  const budget = call === 'remove' ? 'revoke' : 'grant';
  const permits = await w.ctx.budget.acquire(budget, 1, { bulk: w.ticket.bulk, maxWaitMs: spare });
  if (permits && spareMs(w) < 0) {
    permits.release();
    return null;
  }
  return permits;
}

async function request(w: Write, call: Call): Promise<Step> {
  const permits = w.ctx.session() ? (heldPermit(w) ?? (await permitFor(w, call))) : null;
  const running = permits?.start();
  const inTime = running !== undefined && (running.ready === null || (await slotInTime(w.ctx, w.ticket, running)));
  // Asked again: it may have become suspect while we waited for the permit and its slot.
  const session = w.ctx.session();
  if (!session || !inTime) {
    running?.finish('unsent');
    w.permits?.release();
    return notNow(w, session ? 'NO_PERMIT' : 'NO_SESSION', backoffMs(0));
  }
  const access = { script: w.ticket.pineId, username: w.spelling };
  const expiresAt = w.target.state === 'granted' ? w.target.expiresAt : null;
  w.sent = true;
  try {
    const answer =
      call === 'remove'
        ? await w.ctx.upstream.remove(session, access)
        : await w.ctx.upstream[call](session, { ...access, expiresAt });
    running.finish('ok');
    return afterAnswer(w, call, answer);
  } catch (error) {
    const decision = decide(error);
    running.finish(decision.result, { retryAfterMs: decision.retryAfterMs });
    const suspicion = decision.suspectSession ? w.ctx.suspectSession(session) : null;
    if (suspicion && decision.verdict === 'uncertain') return { settle: await afterPage(w, decision.code, suspicion) };
    return afterFault(w, call, decision);
  }
}

function afterAnswer(w: Write, call: Call, answer: 'ok' | 'exists' | 'not_exists'): Step | Promise<Step> {
  if (answer === 'exists') {
    w.spellingAccepted = true;
    return { next: mustReplace(w.target, w.ctx) ? 'remove' : 'modify' };
  }
  if (answer === 'not_exists') return afterAbsent(w);
  w.spellingAccepted = true;
  if (call === 'add') return { settle: applied(w, w.halfDone ? 'changed' : 'granted') };
  if (call === 'modify') return { settle: applied(w, 'changed') };
  if (w.target.state === 'none') return { settle: applied(w, 'revoked') };
  w.halfDone = true;
  return { next: 'add' };
}

function afterFault(w: Write, call: Call, decision: Decision): Step | Promise<Step> {
  switch (decision.verdict) {
    case 'missing':
      if (call === 'modify') return { next: 'add' };
      return call === 'remove' ? afterAbsent(w) : afterUnknown(w);
    case 'rejected':
      return { settle: rejected(w, decision.code) };
    case 'uncertain':
      return { settle: uncertain(w, decision.code, !w.ctx.budget.isBreakerOpen()) };
    case 'unapplied':
      return notNow(w, decision.code, decision.retryAfterMs ?? backoffMs(0));
  }
}

/** A page where JSON was due: only where the session is found alive was it about this request, and costs a try. */
async function afterPage(w: Write, code: string, suspicion: Promise<SessionResult>): Promise<Settlement> {
  const spareMs = leaseLeft(w.ticket, w.ctx.limits.leaseMs, w.ctx.monotonic()) - SETTLE_MS;
  const result = await Promise.race([suspicion, delay(Math.max(0, spareMs), 'unclear', { ref: false })]);
  return uncertain(w, code, result === 'ok' && !w.ctx.budget.isBreakerOpen());
}

/** add said 422: the spelling is looked up once; then the user does not exist. */
async function afterUnknown(w: Write): Promise<Step> {
  if (w.lookedUp) return { settle: rejected(w, 'USER_NOT_FOUND') };
  const canonical = await lookUp(w);
  if (canonical === undefined) return notNow(w, 'LOOK_UP_FAILED', backoffMs(0));
  if (canonical === null || canonical === w.spelling) return { settle: rejected(w, 'USER_NOT_FOUND') };
  w.spelling = canonical;
  return { next: 'add' };
}

/** remove found nobody: that counts only under a spelling known to be canonical. */
async function afterAbsent(w: Write): Promise<Step> {
  if (w.target.state !== 'none') return { next: 'add' };
  if (w.spellingAccepted) return { settle: applied(w, 'unchanged') };
  const canonical = await lookUp(w);
  if (canonical === undefined) return notNow(w, 'LOOK_UP_FAILED', backoffMs(0));
  if (canonical === null) return { settle: rejected(w, 'USER_NOT_FOUND') };
  w.spellingAccepted = true;
  if (canonical === w.spelling) return { settle: applied(w, 'unchanged') };
  w.spelling = canonical;
  return { next: 'remove' };
}

/** undefined: the look-up failed, which says nothing about the user. */
async function lookUp(w: Write): Promise<string | null | undefined> {
  const { ctx, ticket } = w;
  w.lookedUp = true;
  const maxWaitMs = leaseLeft(ticket, ctx.limits.leaseMs, ctx.monotonic()) - 2 * ctx.limits.requestDeadlineMs;
  if (maxWaitMs <= 0) return undefined;
  try {
    return await ctx.lookUp(ticket.name, { bulk: ticket.bulk, maxWaitMs });
  } catch {
    return undefined;
  }
}

/** Nothing of this claim was applied, unless a remove before its add was: then it is unclear (T4). */
function notNow(w: Write, code: string, retryMs: number): Step {
  return { settle: w.halfDone ? uncertain(w, code, false) : unapplied(w, code, retryMs) };
}

function common(w: Write) {
  const { script, name, token } = w.ticket;
  return { script, name, token, carried: w.work.version, sent: w.sent };
}

function applied(w: Write, outcome: 'granted' | 'changed' | 'revoked' | 'unchanged'): Settlement {
  w.permits?.release();
  w.permits = null;
  const proved = w.sent && w.spellingAccepted ? { spelling: w.spelling } : {};
  const verify = w.sent && w.ctx.verifiesWrites() ? { verify: true } : {};
  return { ...common(w), result: 'applied', target: w.target, outcome, ...proved, ...verify };
}

function rejected(w: Write, code: string): Settlement {
  return { ...common(w), result: 'rejected', code };
}

function uncertain(w: Write, code: string, spend: boolean): Settlement {
  return { ...common(w), result: 'uncertain', code, retryMs: backoffMs(w.work.tries), spend };
}

function unapplied(w: Write, code: string, retryMs: number): Settlement {
  return { ...common(w), sent: false, result: 'unapplied', code, retryMs };
}
