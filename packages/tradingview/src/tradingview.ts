import type { Member } from './answer-schemas.ts';
import type { AccessGrant, AccessTarget } from './form-body.ts';
import type { MemberList, MemberOrder, MemberPage, OnMemberPage } from './member-list.ts';
import type { PoolOptions } from './open-pool.ts';
import type { Session } from './session.ts';
import type { SignInResult } from './sign-in.ts';
import type { Endpoint, SessionExpiredForm, TradingViewErrorCode } from './trading-view-error.ts';

/** One finished request, for metrics: the only place they subscribe to. `ms` counts from the call to its result. */
export type Observation = {
  readonly account: string | undefined;
  readonly endpoint: Endpoint;
  /** `ok`, what a write found instead, or the code of the error thrown. */
  readonly result: 'ok' | 'exists' | 'not_exists' | TradingViewErrorCode;
  readonly status: number | null;
  readonly ms: number;
};

export type TradingViewOptions = Omit<PoolOptions, 'deadlineMs'> & {
  /** Total time of one request in ms, from the call to the last byte of its answer; default 6000. */
  readonly deadlineMs?: number;
  readonly userAgent?: string;
  /** Now, in ms since 1970; default Date.now. Only used to read a Retry-After that is a date. */
  readonly clock?: () => number;
  /** Called once per request with what came of it; what it throws is dropped. */
  readonly onRequest?: (observation: Observation) => void;
};

/** Connections open and idle, and requests waiting for one and under way. */
export type PoolUse = {
  readonly connected: number;
  readonly free: number;
  readonly queued: number;
  readonly running: number;
};

export type CallOptions = {
  /** Gives up. A write that may have reached the server then ends `UNCERTAIN`, anything else `ABORTED`. */
  readonly signal?: AbortSignal;
};

/** What `details` says of a session; `page` is an HTML page with status 200, which may be an outage too. */
export type SessionCheck =
  | { readonly alive: true }
  | { readonly alive: false; readonly form: SessionExpiredForm | 'page' };

/**
 * The upstream's endpoints, one request a call (the list walks: one a page), never repeated here. Every method
 * rejects with a TradingViewError where it has no answer of its own; pine ids and usernames are sent as given.
 */
export type TradingView = {
  /** Whether the session is alive. Rejects where the answer does not tell (429, 5xx, a challenge page, no answer). */
  details(session: Session, options?: CallOptions): Promise<SessionCheck>;
  /** The canonical spelling of a user, or null where nobody has that name. Needs no session. */
  hint(username: string, options?: CallOptions & { readonly account?: string }): Promise<string | null>;
  /** Grants access. `exists`: has access already, and its expiration is unchanged. */
  add(session: Session, grant: AccessGrant, options?: CallOptions): Promise<'ok' | 'exists'>;
  /** Moves a member's expiration. On some servers this says `ok` of a non-member too and does nothing. */
  modify(session: Session, grant: AccessGrant, options?: CallOptions): Promise<'ok'>;
  /** Takes access away. Some servers answer an absent user with `not_exists`, others with USER_NOT_FOUND. */
  remove(session: Session, target: AccessTarget, options?: CallOptions): Promise<'ok' | 'not_exists'>;
  /** One page of at most `limit` (default and maximum 30) members; `cursor` is the `next` of the page before. */
  listUsersPage(
    session: Session,
    list: {
      readonly script: string;
      readonly username?: string;
      readonly orderBy?: MemberOrder;
      readonly limit?: number;
      readonly cursor?: string | null;
    },
    options?: CallOptions,
  ): Promise<MemberPage>;
  /** One user's entry by exact, case-insensitive name, or null where the list ended without it. Usually one request. */
  listUsers(
    session: Session,
    list: AccessTarget & { readonly onPage?: OnMemberPage },
    options?: CallOptions,
  ): Promise<Member | null>;
  /** Every member, page by page. `from` goes on where an earlier walk failed: the last `next` given to `onPage`. */
  listAllUsers(
    session: Session,
    list: {
      readonly script: string;
      readonly orderBy?: MemberOrder;
      readonly onPage?: OnMemberPage;
      readonly from?: string;
    },
    options?: CallOptions,
  ): Promise<MemberList>;
  /** Pine ids of the session's invite-only scripts. */
  listScripts(session: Session, options?: CallOptions): Promise<readonly string[]>;
  /** Signs in once. Only on an operator's request: see SignInResult. */
  signIn(username: string, password: string, options?: CallOptions): Promise<SignInResult>;
  /** What the pool of connections is doing now. */
  pool(): PoolUse;
  /** Takes no more calls and resolves when those under way have ended. Idempotent. */
  close(): Promise<void>;
  /** Ends every call now: a write that was sent `UNCERTAIN`, all else `ABORTED`. Idempotent. */
  destroy(): Promise<void>;
};
