import type { RequestResult } from '@pinegate/budget';
import { TradingViewError } from '@pinegate/tradingview';

/** What a failed call means for its key. */
export interface Decision {
  /** `missing`: 422 for the user; what that means depends on the call (protocol.md, send). */
  readonly verdict: 'missing' | 'rejected' | 'uncertain' | 'unapplied';
  readonly code: string;
  /** What the budget learns. */
  readonly result: RequestResult;
  readonly retryAfterMs: number | null;
  /** Somebody has to ask whether the session is alive. */
  readonly suspectSession: boolean;
}

type Row = Pick<Decision, 'verdict' | 'result'>;

// The one table of what a client's error leads to.
const TABLE: Readonly<Record<TradingViewError['code'], Row>> = {
  SESSION_EXPIRED: { verdict: 'unapplied', result: 'ok' },
  RATE_LIMITED: { verdict: 'unapplied', result: 'limited' },
  USER_NOT_FOUND: { verdict: 'missing', result: 'ok' },
  SCRIPT_REFUSED: { verdict: 'rejected', result: 'ok' },
  // Not documented, so not permanent: after the tries a read decides.
  BAD_REQUEST: { verdict: 'uncertain', result: 'ok' },
  UNAVAILABLE: { verdict: 'unapplied', result: 'unavailable' },
  UNCERTAIN: { verdict: 'uncertain', result: 'uncertain' },
  ABORTED: { verdict: 'unapplied', result: 'unsent' },
};

/** Errors that are not the client's are bugs: the write may have been sent, so the key is uncertain. */
export function decide(error: unknown): Decision {
  if (!(error instanceof TradingViewError)) {
    return { verdict: 'uncertain', code: 'INTERNAL', result: 'uncertain', retryAfterMs: null, suspectSession: false };
  }
  return {
    ...TABLE[error.code],
    code: error.code,
    retryAfterMs: error.retryAfterMs,
    suspectSession: error.suspectSession || error.code === 'SESSION_EXPIRED',
  };
}
