import type { AuditLog } from './directory/audit.ts';
import type { LaneClass, Page } from './types.ts';

export interface BudgetConfig {
  /** Requests a second to begin with; null = unlimited. */
  readonly start: number | null;
  readonly min: number;
  readonly max: number;
  readonly adaptive: boolean;
}

/** An author's TradingView login, as an operator configures it. */
export interface AccountConfig {
  readonly scripts: readonly string[];
  readonly budgets: Readonly<Record<'grant' | 'revoke' | 'list' | 'lookup', BudgetConfig>>;
  readonly maxInFlight: number;
  /** Revokes spend the budget of the grants; absent = false, as in records from before there was a choice. */
  readonly sharedBudget?: boolean;
}

export type AccountState = 'active' | 'parked' | 'paused';

export interface Account extends AccountConfig {
  readonly id: string;
  readonly state: AccountState;
  /**
   * Why it is parked or paused; null when active. The directory itself writes `session_missing` (no cookies yet), `session_unchecked`
   * (cookies posted, no check of them yet) and `session_dead`.
   */
  readonly reason: string | null;
  readonly session: {
    readonly state: 'ok' | 'dead' | 'unknown';
    readonly checkedAt: number | null;
    readonly postedAt: number | null;
  };
  /** Grows with every change, so that workers see one by comparing. One counter for all accounts: it does not start again. */
  readonly revision: number;
}

/** What a check of cookies came to; `unclear`: no answer, or one that may be an outage. */
export type SessionResult = 'ok' | 'dead' | 'unclear';

/** Cookies in the clear: in memory only, never logged. */
export interface SessionCookies {
  readonly sessionid: string;
  readonly sessionidSign: string | null;
}

export interface ScriptRoute {
  readonly account: string;
  /** Small number that stands for the script in the account's ledger keys; never reused. */
  readonly index: number;
}

export type Scope = 'read' | 'write' | 'admin';

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Ms; 0 for the bootstrap key. */
  readonly createdAt: number;
  /** Ms; null = never. From then on it does not verify. */
  readonly expiresAt: number | null;
  /** Requests a second that it may make; null = the default of the api. */
  readonly ratePerSecond: number | null;
}

/** A key as it is listed. */
export interface ListedKey extends ApiKey {
  /** To the minute, ms; null = never. */
  readonly lastUsedAt: number | null;
  /** Until when the secret before the last rotation still opens, ms; null = it does not. */
  readonly overlapUntil: number | null;
}

/** What of an API key can be changed. */
export type KeySettings = Pick<ApiKey, 'name' | 'scopes' | 'expiresAt' | 'ratePerSecond'>;

export interface Rejection {
  readonly row: number;
  readonly code: string;
  readonly detail: string;
}

/** What the directory knows of a batch; the counters live in its parts. */
export interface BatchRecord {
  readonly id: string;
  readonly source: string;
  readonly lane: LaneClass | null;
  /** Accounts that have a part of it. */
  readonly accounts: readonly string[];
  /** `interrupted` also when it was `receiving` and its upload has not been renewed for 10 s: its api died. */
  readonly upload: 'receiving' | 'interrupted' | 'complete';
  readonly cancelled: boolean;
  /** Whether its revokes are accepted: as it was when it began, so that a row keeps its verdict. */
  readonly acceptRevokes: boolean;
  readonly rows: number;
  readonly rejected: number;
  readonly createdAt: number;
}

/** Rows received so far and the hash of all bytes up to there. */
export interface Checkpoint {
  readonly row: number;
  readonly hash: string;
}

/** What an idempotency key says of a request. */
export type IdempotencyVerdict =
  /** First time: the caller runs it and holds the lease. */
  | { readonly verdict: 'fresh'; readonly lease: string; readonly resource: string }
  /** Its request died: the caller runs it again for the same resource. */
  | { readonly verdict: 'resume'; readonly lease: string; readonly resource: string }
  /** `fingerprint` is the answered body's: a caller that began with null reads its stream to the end and compares before it answers. */
  | { readonly verdict: 'stored'; readonly status: number; readonly body: string; readonly fingerprint: string }
  /** `retryMs`: what is left of the lease of the request that runs. */
  | { readonly verdict: 'busy'; readonly retryMs: number }
  | { readonly verdict: 'differs' };

/** State of all accounts, under the hash tag of the directory. */
export interface Directory {
  readonly accounts: {
    /** Ordered by id. Costs one small call while nothing has changed. */
    list(): Promise<readonly Account[]>;
    get(id: string): Promise<Account | null>;
    /**
     * Creates or replaces. Without a session the account is parked. Errors: `DirectoryError` `SCRIPT_TAKEN` (a script of another account, field
     * `script`). Indexes of scripts are given here; a script that was taken away and comes back gets a new one, so that nothing known of it
     * before is believed.
     */
    put(id: string, config: AccountConfig): Promise<{ readonly account: Account; readonly created: boolean }>;
    /** Removes account, session and script routes. The caller has checked that nothing is pending. */
    remove(id: string): Promise<boolean>;
    /**
     * Compare-and-set when `from` is given: parks only what is active, for instance. Returns the account after the call, null when unknown.
     * An account without cookies never becomes `active`: it is parked instead.
     */
    setState(
      id: string,
      to: AccountState,
      reason: string | null,
      from?: readonly AccountState[],
    ): Promise<Account | null>;
    /**
     * Result of a session check by a worker; `postedAt` names the cookies it was made with (stale results are ignored). In the same call
     * `dead` parks an active account (reason `session_dead`) and `ok` makes a parked one active; a paused one stays paused. `moved`: this
     * call parked or resumed it. null: no such account.
     */
    setSession(
      id: string,
      state: 'ok' | 'dead',
      postedAt: number,
    ): Promise<{ readonly account: Account; readonly moved: boolean } | null>;
  };
  readonly sessions: {
    /** Encrypts (AES-256-GCM, account id as associated data) and stores; session state becomes `unknown`. null: no such account. */
    put(account: string, cookies: SessionCookies): Promise<Account | null>;
    /** Errors: `DirectoryError` `SECRET_KEY_WRONG` when no configured key opens it. */
    get(account: string): Promise<{ readonly cookies: SessionCookies; readonly postedAt: number } | null>;
    /** Seals with the current key what the previous one sealed; returns the accounts concerned. Errors: `SECRET_KEY_WRONG`. */
    reseal(): Promise<readonly string[]>;
  };
  /** What makes one worker ask whether a session is alive, and all of them wait for the answer. Told on the channel of `watchDirectory`. */
  readonly suspicions: {
    /**
     * An answer looked as if the cookies posted at `postedAt` were dead. `ask`: the caller finds out, within `ms`, and calls `end`; `wait`:
     * somebody else does; `moot`: the account is not active any more, or has other cookies.
     */
    raise(account: string, postedAt: number, ms: number): Promise<'ask' | 'wait' | 'moot'>;
    /** `result` is what the one who asked found. */
    end(account: string, result: SessionResult): Promise<void>;
  };
  /** The worker processes that run, by Redis TIME. */
  readonly workers: {
    /** This one runs: `id` counts as running for 15 s more. Answers all that do, in no order, and the counter of changes to accounts. */
    beat(id: string): Promise<{ readonly workers: readonly string[]; readonly revision: string }>;
    /** This one stops now. */
    leave(id: string): Promise<void>;
  };
  readonly scripts: {
    /** From memory; may be 2 s old. A script not known here is looked up at once, one and the same at most once a second. */
    resolve(script: string): Promise<ScriptRoute | null>;
    /** From memory; may be 2 s old. */
    all(): Promise<ReadonlyMap<string, ScriptRoute>>;
    /** The script that an index of this account stands for or once stood for; null = never given. */
    nameOf(account: string, index: number): Promise<string | null>;
  };
  readonly keys: {
    create(
      name: string,
      scopes: readonly Scope[],
      settings?: Partial<Pick<KeySettings, 'expiresAt' | 'ratePerSecond'>>,
    ): Promise<{ readonly key: ApiKey; readonly secret: string }>;
    /** Oldest first, without the bootstrap key; also those that have expired. */
    list(): Promise<readonly ListedKey[]>;
    /** Takes effect in every process within 5 s. null: no such key. */
    change(id: string, settings: KeySettings): Promise<ApiKey | null>;
    /**
     * A new secret for the same key. The one before opens for `overlapMs` more, any older one no more. null: no such key. Known to every
     * process within 5 s.
     */
    rotate(
      id: string,
      overlapMs: number,
    ): Promise<{ readonly key: ApiKey; readonly secret: string; readonly overlapUntil: number | null } | null>;
    /** Takes effect in every process within 5 s. */
    remove(id: string): Promise<boolean>;
    /** Constant-time compare over hashes; null when unknown. The bootstrap key (`adminKey` of `openDirectory`) has id `admin` and all scopes. */
    verify(secret: string): Promise<ApiKey | null>;
  };
  /** A write to a batch that does not exist (any more) fails with `DirectoryError` `BATCH_UNKNOWN`, where it does not answer false or null. */
  readonly batches: {
    /** State `receiving`, its upload held for 10 s. Does nothing where it exists already. */
    create(id: string, source: string, policy?: { readonly acceptRevokes: boolean }): Promise<void>;
    get(id: string): Promise<BatchRecord | null>;
    /** Written before the first submit to an account's ledger, so that no part is ever orphaned. */
    addPart(id: string, account: string, lane: LaneClass): Promise<void>;
    /** Holds the upload for 10 s more; called every 3 s while it runs. false when the batch is not `receiving`. */
    renewUpload(id: string): Promise<boolean>;
    /** Errors: `DirectoryError` `CHECKPOINT_DIFFERS` (field `row`) when another hash stands for that row. */
    checkpoint(id: string, checkpoint: Checkpoint): Promise<void>;
    /** Ascending. */
    checkpoints(id: string): Promise<readonly Checkpoint[]>;
    /**
     * Stores rejections once per row (the first verdict stands), ≤ 1,000 a call. The first 10,000 are kept with code and detail; of later
     * ones only that they are rejected.
     */
    reject(id: string, rejections: readonly Rejection[]): Promise<void>;
    /** All rows that stand rejected, also those of which no more is kept: what a resumed request must not accept. */
    rejectedRows(id: string): Promise<ReadonlySet<number>>;
    /** By row. */
    rejections(id: string, limit: number): Promise<readonly Rejection[]>;
    /** `rows` = rows received so far; a smaller number than before is ignored. `receiving` holds the upload for 10 s. */
    setUpload(id: string, upload: BatchRecord['upload'], rows: number): Promise<void>;
    cancel(id: string): Promise<BatchRecord | null>;
    /** Newest first. Errors: `DirectoryError` `CURSOR_INVALID`. */
    list(cursor: string | null, limit: number): Promise<Page<BatchRecord>>;
    /**
     * Starts retention unless it runs: called when the last part has settled or found settled. addPart, renewUpload, setUpload and keep end
     * it again, so whoever finishes an upload looks whether all has settled meanwhile.
     */
    expire(id: string): Promise<void>;
    /** Ends retention: called before failed operations of a settled batch are tried again. false when the batch is gone. */
    keep(id: string): Promise<boolean>;
  };
  readonly idempotency: {
    /** `scope` = API key, method, path and query; `fingerprint` = hash of the body, or null while a stream has not been read; `resource` is kept only if fresh. */
    begin(scope: string, key: string, fingerprint: string | null, resource: string): Promise<IdempotencyVerdict>;
    /** Renews the 10 s lease; false when it is not ours any more. */
    renew(scope: string, key: string, lease: string): Promise<boolean>;
    /**
     * Stores the answer and ends the lease. false, and nothing stored, when the lease is not ours any more. Errors: `DirectoryError`
     * `BODY_DIFFERS` when the dead request that this one resumed had another fingerprint.
     */
    finish(
      scope: string,
      key: string,
      lease: string,
      fingerprint: string,
      status: number,
      body: string,
    ): Promise<boolean>;
    /** Gives the lease up without an answer, so that a resend resumes at once. */
    abandon(scope: string, key: string, lease: string): Promise<void>;
    /** How many requests are kept, answered or not: those begun within the retention, to the hour. */
    kept(): Promise<number>;
  };
  /**
   * Which account is due for a sweep: earliest time wins. A sweeper first moves the account away (`set` to a fallback time), then sweeps,
   * then marks the next time: a mark that arrives while it sweeps is not lost.
   */
  readonly due: {
    /** Due at `at` or earlier. */
    mark(account: string, at: number): Promise<void>;
    ready(now: number, limit: number): Promise<readonly string[]>;
    set(account: string, at: number | null): Promise<void>;
  };
  readonly audit: AuditLog;
  /** Redis TIME, ms since 1970. */
  now(): Promise<number>;
  /** Drops what is held in memory. The Redis connection stays the caller's. */
  close(): void;
}
