import { constants } from 'node:http2';
import { classifyStatus, unclearCode } from './classify-answer.ts';
import type { WireFault } from './exchange.ts';
import { type Endpoint, TradingViewError, type TradingViewErrorReason } from './trading-view-error.ts';

const TIMEOUTS: ReadonlySet<unknown> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);
const CLOSED: ReadonlySet<unknown> = new Set(['UND_ERR_CLOSED', 'UND_ERR_DESTROYED']);

/**
 * The error a call without a whole answer stands for.
 * @param now ms since 1970, for a Retry-After that is a date
 */
export function classifyFault(endpoint: Endpoint, fault: WireFault, now: number): TradingViewError {
  const { started: sent, status, headers, error: cause } = fault;
  // These two are decided by the status alone; whatever broke off after it changes nothing.
  if (status === 401 || status === 429) return classifyStatus(endpoint, { status, headers, body: '' }, now);
  const reason = faultReason(fault);
  const details = { reason, sent, status, cause };
  const givenUpHere = reason === 'aborted' || reason === 'closed';
  if (!sent) return new TradingViewError(endpoint, givenUpHere ? 'ABORTED' : 'UNAVAILABLE', details);
  if (reason === 'refused') return new TradingViewError(endpoint, 'UNAVAILABLE', details);
  const code = unclearCode(endpoint);
  return new TradingViewError(endpoint, givenUpHere && code === 'UNAVAILABLE' ? 'ABORTED' : code, details);
}

function faultReason({ why, started, status, error }: WireFault): TradingViewErrorReason {
  if (why === 'deadline') return 'timeout';
  if (why === 'aborted') return 'aborted';
  const { code, http2ErrorCode } = fields(error);
  if (CLOSED.has(code)) return started ? 'aborted' : 'closed';
  if (!started) return 'connect';
  if (TIMEOUTS.has(code)) return 'timeout';
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return 'too_large';
  if (http2ErrorCode === constants.NGHTTP2_REFUSED_STREAM) return 'refused';
  return status === null ? 'reset' : 'cut';
}

function fields(error: unknown): { readonly code?: unknown; readonly http2ErrorCode?: unknown } {
  return typeof error === 'object' && error !== null ? error : {};
}
