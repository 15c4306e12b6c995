import type { Budget } from '@pinegate/budget';
import type { Directory } from '@pinegate/ledger';
import type { Session, SessionCheck, TradingView } from '@pinegate/tradingview';
import { decide } from './decide.ts';

const PERMIT_WAIT_MS = 5_000;

export type SessionResult = 'ok' | 'dead' | 'unclear';

/**
 * Asks whether the cookies of an account are alive, and acts on it: a dead session parks the account, a live one resumes what was parked.
 * `details` alone decides; an answer that may be an outage leaves everything as it is.
 */
export async function checkSession(
  parts: { readonly directory: Directory; readonly upstream: TradingView; readonly budget: Budget },
  account: string,
  session: Session,
  postedAt: number,
): Promise<SessionResult> {
  const { directory } = parts;
  const check = await ask(parts, session);
  if (!check || (!check.alive && check.form === 'page')) return 'unclear';
  const after = await directory.accounts.setSession(account, check.alive ? 'ok' : 'dead', postedAt);
  // Newer cookies were posted meanwhile: this answer says nothing about them.
  if (after?.session.postedAt !== postedAt) return 'unclear';
  if (check.alive) await directory.accounts.setState(account, 'active', null, ['parked']);
  else await directory.accounts.setState(account, 'parked', `session dead: ${check.form}`, ['active']);
  return check.alive ? 'ok' : 'dead';
}

async function ask(
  { upstream, budget }: { readonly upstream: TradingView; readonly budget: Budget },
  session: Session,
): Promise<SessionCheck | null> {
  const permits = await budget.acquire('list', 1, { bulk: false, maxWaitMs: PERMIT_WAIT_MS });
  if (!permits) return null;
  const request = permits.start();
  try {
    const check = await upstream.details(session);
    request.finish('ok');
    return check;
  } catch (error) {
    const { result, retryAfterMs } = decide(error);
    request.finish(result, { retryAfterMs });
    return null;
  }
}
