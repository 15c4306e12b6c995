/** The upstream's endpoints, as metrics and errors name them. */
export type Endpoint = 'details' | 'hint' | 'list_users' | 'add' | 'modify' | 'remove' | 'list_scripts' | 'signin';

/**
 * What a failed call means:
 * - `SESSION_EXPIRED`: the cookies are no longer accepted (see `form`); nothing was applied.
 * - `RATE_LIMITED`: 429 (see `retryAfterMs`); nothing was applied.
 * - `USER_NOT_FOUND`: 422 `username_recip_not_found`. The body is the same for no such user, a wrong spelling, a
 *   modify of a non-member and, on some servers, a remove of an absent user: only the caller can tell them apart.
 * - `SCRIPT_REFUSED`: 422 about `pine_id`: no such script, or another author's.
 * - `BAD_REQUEST`: any other 4xx.
 * - `UNAVAILABLE`: surely not applied: no connection, refused by the server before it was processed, or any
 *   failure of a call that only reads.
 * - `UNCERTAIN`: a write (or a sign-in) that may or may not have been applied, or may still be.
 * - `ABORTED`: given up on this side (signal, `close`, `destroy`) and surely not applied.
 */
export type TradingViewErrorCode =
  | 'SESSION_EXPIRED'
  | 'RATE_LIMITED'
  | 'USER_NOT_FOUND'
  | 'SCRIPT_REFUSED'
  | 'BAD_REQUEST'
  | 'UNAVAILABLE'
  | 'UNCERTAIN'
  | 'ABORTED';

/** The shape in which a dead session showed itself. */
export type SessionExpiredForm = 'unauthorized' | 'login_required' | 'redirect';

/**
 * What was seen on the wire:
 * - `connect`: no connection (refused, DNS, TLS, connect timeout) · `refused`: REFUSED_STREAM or GOAWAY
 * - `timeout`: the deadline passed · `reset`: the connection broke before the answer began
 * - `cut`: the answer broke off, or is not whole JSON · `too_large`: the answer exceeded the size cap
 * - `aborted`: the caller's signal, or `destroy` · `closed`: called after `close` or `destroy`
 * - `server_error`: 5xx · `redirect`: to somewhere else than the sign-in page · `html`: a page where JSON was due
 * - `challenge`: a page that wants a human · `content_type`: neither JSON nor HTML · `shape`: JSON, but not the documented one
 * - `paging`: a list's cursor repeated or its pages did not end · `session`: a cookie that no header can carry
 * - `status`: the status says it all
 */
export type TradingViewErrorReason =
  | 'connect'
  | 'refused'
  | 'timeout'
  | 'reset'
  | 'cut'
  | 'too_large'
  | 'aborted'
  | 'closed'
  | 'server_error'
  | 'redirect'
  | 'html'
  | 'challenge'
  | 'content_type'
  | 'shape'
  | 'paging'
  | 'session'
  | 'status';

/** Everything an error carries besides its endpoint and code. */
export type TradingViewErrorDetails = {
  readonly reason: TradingViewErrorReason;
  readonly sent: boolean;
  readonly status?: number | null;
  readonly form?: SessionExpiredForm | null;
  readonly retryAfterMs?: number | null;
  readonly suspectSession?: boolean;
  readonly upstreamCode?: string | null;
  readonly cause?: unknown;
};

/**
 * A call that did not end in an answer of its own. No message or property holds a cookie, a password or a body.
 * The client never retries: the caller decides by `code`.
 */
export class TradingViewError extends Error {
  override readonly name = 'TradingViewError';
  readonly code: TradingViewErrorCode;
  readonly endpoint: Endpoint;
  readonly reason: TradingViewErrorReason;
  /** Whether bytes of the request may have reached the server. */
  readonly sent: boolean;
  /** HTTP status, or null where none arrived. */
  readonly status: number | null;
  /** Only with `SESSION_EXPIRED`. */
  readonly form: SessionExpiredForm | null;
  /** Milliseconds to wait as asked by Retry-After (429 and 503), or null. */
  readonly retryAfterMs: number | null;
  /** The answer looks as it might with a dead session, but also with an outage: ask `details`. Independent of `code`. */
  readonly suspectSession: boolean;
  /** The `code` of the upstream's JSON body, where it looks like an identifier. */
  readonly upstreamCode: string | null;

  constructor(endpoint: Endpoint, code: TradingViewErrorCode, details: TradingViewErrorDetails) {
    const status = details.status ?? null;
    super(`${endpoint}: ${code} (${details.reason}${status === null ? '' : `, status ${status}`})`, {
      cause: details.cause,
    });
    this.endpoint = endpoint;
    this.code = code;
    this.reason = details.reason;
    this.sent = details.sent;
    this.status = status;
    this.form = details.form ?? null;
    this.retryAfterMs = details.retryAfterMs ?? null;
    this.suspectSession = details.suspectSession ?? false;
    this.upstreamCode = details.upstreamCode ?? null;
  }
}
