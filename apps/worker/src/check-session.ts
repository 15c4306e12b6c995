import type { Budget, BudgetName } from '@pinegate/budget';
import type { Directory, SessionResult } from '@pinegate/ledger';
import { type Session, type TradingView, TradingViewError } from '@pinegate/tradingview';
import { decide } from './decide.ts';

const PERMIT_WAIT_MS = 5_000;
/** TradingView's own account: any answer about it shows that the site answers at all. */
const ANY_USERNAME = 'TradingView';

/** What a check of cookies showed. */
export interface SessionReport {
  readonly result: SessionResult;
  /** What was seen where the session is not alive: the form of a dead session, `challenge`, `no_permit`, or an error's code. */
  readonly seen: string | null;
  /** This check parked the account, or resumed it. */
  readonly moved: boolean;
}

export interface CheckParts {
  readonly directory: Directory;
  readonly upstream: TradingView;
  readonly budget: Budget;
}

/**
 * Asks `details` whether the cookies of an account are alive, and acts on it: a dead session parks the account, a live one resumes what was
 * parked. A page where JSON was due is a dead session only if the site answers others: else it may be an outage, which changes nothing.
 * A challenge is reported; nobody tries to get around it.
 */
export async function checkSession(
  parts: CheckParts,
  account: string,
  session: Session,
  postedAt: number,
): Promise<SessionReport> {
  const found = await look(parts, account, session);
  if (found.result === 'unclear') return { ...found, moved: false };
  const after = await parts.directory.accounts.setSession(account, found.result, postedAt);
  // Newer cookies were posted meanwhile: this answer says nothing about them.
  if (after?.account.session.postedAt !== postedAt) return { result: 'unclear', seen: 'replaced', moved: false };
  return { ...found, moved: after.moved };
}

async function look(
  parts: CheckParts,
  account: string,
  session: Session,
): Promise<Pick<SessionReport, 'result' | 'seen'>> {
  const answer = await ask(parts.budget, 'list', () => parts.upstream.details(session));
  if ('failed' in answer) return { result: 'unclear', seen: answer.failed };
  if (answer.value.alive) return { result: 'ok', seen: null };
  const { form } = answer.value;
  if (form === 'page') {
    const others = await ask(parts.budget, 'lookup', () => parts.upstream.hint(ANY_USERNAME, { account }));
    if ('failed' in others) return { result: 'unclear', seen: form };
  }
  return { result: 'dead', seen: form };
}

async function ask<T>(
  budget: Budget,
  name: BudgetName,
  call: () => Promise<T>,
): Promise<{ readonly value: T } | { readonly failed: string }> {
  const permits = await budget.acquire(name, 1, { bulk: false, maxWaitMs: PERMIT_WAIT_MS });
  if (!permits) return { failed: 'no_permit' };
  const request = permits.start();
  try {
    const value = await call();
    request.finish('ok');
    return { value };
  } catch (error) {
    const { result, code, retryAfterMs } = decide(error);
    request.finish(result, { retryAfterMs });
    return { failed: error instanceof TradingViewError && error.reason === 'challenge' ? 'challenge' : code };
  }
}
