import { setTimeout as delay } from 'node:timers/promises';
import type { Session } from '@pinegate/tradingview';
import type { AccountContext } from './account-context.ts';
import { backoffMs } from './backoff.ts';
import { decide } from './decide.ts';

/** Failures in a row before a reading is given up; refusals (429) and an open breaker do not count. */
const MOST_FAILURES = 8;

/** Why a member list could not be read. */
export type ReadingCode =
  | 'list_cut'
  | 'list_repeats'
  | 'list_changed'
  | 'session_dead'
  | 'script_refused'
  | 'hand_over';

/** A member list that was not read to its end; nothing may be concluded from it. */
export class ReadingError extends Error {
  override readonly name = 'ReadingError';
  readonly code: ReadingCode;

  constructor(code: ReadingCode) {
    super(`the member list was not read to its end: ${code}`);
    this.code = code;
  }
}

/** What asking needs of an account. */
export type AskContext = Pick<AccountContext, 'budget' | 'session' | 'suspectSession'>;

/**
 * One read for one permit of `list`, which singles go before; tried again while that may help.
 * Errors: `ReadingError` `list_cut`, `session_dead`, `script_refused`, and `hand_over` when the signal aborts.
 */
export async function askUpstream<T>(
  ctx: AskContext,
  signal: AbortSignal,
  call: (session: Session) => Promise<T>,
  pause: (ms: number) => Promise<void> = (ms) => delay(ms, undefined, { signal }).catch(() => {}),
): Promise<T> {
  for (let failures = 0; ; ) {
    const permits = await ctx.budget.acquire('list', 1, { bulk: true, signal });
    if (!permits) throw new ReadingError('hand_over');
    const session = ctx.session();
    if (!session) {
      permits.release();
      throw new ReadingError('session_dead');
    }
    const request = permits.start();
    try {
      const answer = await call(session);
      request.finish('ok');
      return answer;
    } catch (error) {
      const { result, retryAfterMs, suspectSession, verdict } = decide(error);
      request.finish(result, { retryAfterMs });
      if (suspectSession && (await ctx.suspectSession(session)) === 'dead') throw new ReadingError('session_dead');
      if (verdict === 'rejected') throw new ReadingError('script_refused');
      if (result !== 'limited' && !ctx.budget.isBreakerOpen()) failures += 1;
      if (failures >= MOST_FAILURES) throw new ReadingError('list_cut');
      await pause(backoffMs(failures));
    }
  }
}
