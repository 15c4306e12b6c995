import type { AccessState, Lane } from '@pinegate/access';
import type { HistoryRecord } from './history-record.ts';
import type { Refreshes } from './refresh-types.ts';
import type {
  AccessRecord,
  Bells,
  CallBudget,
  Chunk,
  Claimed,
  EndedOperation,
  FailureRecord,
  LedgerSummary,
  Page,
  PartRecord,
  PartRef,
  RecentFailure,
  Redriven,
  Settled,
  Settlement,
  SubmitResult,
  SubmitRow,
} from './types.ts';

/** Times and limits of protocol.md, ms. */
export interface LedgerTimes {
  /** U: how long a write may still land after it was given up. */
  readonly verifyDelayMs: number;
  readonly leaseMs: number;
  /** How long knowledge of a base is called fresh. */
  readonly freshMs: number;
  /** How long settled parts and failures stay readable. */
  readonly retentionMs: number;
  readonly maxTries: number;
}

/** Statuses that a list of accesses can be narrowed to. */
export type AccessStatus = 'pending' | 'settled' | 'failed';

/** The ledger of one account: every method is one atomic Lua call, bounded in what it touches. Times are Redis TIME, ms. */
export interface AccountLedger {
  readonly account: string;
  /** Redis channel on which the id of every single operation is published when it settles. */
  readonly settledChannel: string;

  /** ≤ 1,000 rows, ascending; `after` = number of the part's row before them, 0 for the first. Ring `bells` afterwards. */
  submit(part: PartRef, after: number, rows: readonly SubmitRow[]): Promise<SubmitResult>;
  /**
   * As `submit` of the one row of a part of its own. What comes in the same turn of the event loop goes in the same call, into the same chunks,
   * and the first of them that is taken has the bells of all.
   */
  submitSingle(part: PartRef, row: SubmitRow): Promise<SubmitResult>;
  /** Marks the part, which refuses rows from then on; false when unknown. Then call `cancelSome` until nothing is left. */
  cancel(partId: string): Promise<boolean>;
  /** One step of the cancels under way: about 1,000 keys; `left` = parts whose cancel goes on. */
  cancelSome(): Promise<{ readonly left: number; readonly ended: readonly EndedOperation[] }>;

  /** The chunk that the job already took, else the next one in turn, else null: the bell was one too many. */
  take(lane: Lane, job: string): Promise<Chunk | null>;
  /** Only when every key of the chunk got a definite answer from `claim`. */
  close(lane: Lane, job: string, chunk: string): Promise<void>;
  /** Claims as many keys as `permits` cover; a key whose work needs another one answers `permit`. `token` is new for each call. */
  claim(
    script: number,
    names: readonly string[],
    token: string,
    permits: Readonly<Record<CallBudget, number>>,
  ): Promise<{
    readonly keys: readonly Claimed[];
    readonly ended: readonly EndedOperation[];
    /** Claims of others that had lapsed. */
    readonly takeovers: number;
  }>;
  /** After a read for `base` begun at `readAt` (a lower bound). Answers `write`, or why not. */
  fix(
    script: number,
    name: string,
    token: string,
    version: number,
    read: AccessState,
    readAt: number,
  ): Promise<Claimed | Settled>;
  /** After a read for `final`: `target` = fold of the fixed part. What failed is kept with the code of its last try. */
  final(
    script: number,
    name: string,
    token: string,
    target: AccessState,
    read: AccessState,
    readAt: number,
  ): Promise<Settled>;
  /** After a read for `verify`. Answers `write` where base has to be written again. */
  verified(script: number, name: string, token: string, read: AccessState, readAt: number): Promise<Claimed | Settled>;
  settle(settlements: readonly Settlement[]): Promise<readonly Settled[]>;

  /** Moves at most `limit` keys that are due into chunks. */
  sweepDue(limit: number): Promise<{ readonly moved: number; readonly bells: Bells; readonly nextDue: number | null }>;
  /** Chunks in the hands of jobs, for the sweeper to compare with the queue. */
  takenChunks(lane: Lane): Promise<readonly { readonly job: string; readonly chunk: string }[]>;
  /** Puts a chunk back at the head of its turn if `job` still holds it. */
  putBack(lane: Lane, job: string, chunk: string): Promise<boolean>;
  summary(): Promise<LedgerSummary>;
  /** What jobs hold, in their order, without taking anything: null for one that has no chunk (yet, or any more). */
  lookAtChunks(lane: Lane, jobs: readonly string[]): Promise<readonly (Chunk | null)[]>;
  /** Ids of the batches with something pending here, those first that have waited longest, at most `limit` a lane. */
  openBatches(limit: number): Promise<readonly string[]>;
  /** The newest 20 operations that ended badly, newest first. */
  recentFailures(): Promise<readonly RecentFailure[]>;

  /** One step of at most 500 failed operations; call again while `more` > 0. */
  redrivePart(partId: string): Promise<Redriven & { readonly more: number }>;
  /** null when the access has no failed operation. */
  redriveAccess(script: number, username: string): Promise<Redriven | null>;

  /** In the order of the names; null for an access never mentioned. */
  readAccess(script: number, names: readonly string[]): Promise<readonly (AccessRecord | null)[]>;
  /** A page may be short or empty and still have a `next`: a narrow status is searched in bounded steps. */
  listAccess(
    script: number,
    cursor: string | null,
    limit: number,
    status: AccessStatus | null,
  ): Promise<Page<AccessRecord>>;
  /** Operations of an access that ended, newest first, out of the last 100,000 of the account. One step: a page may be empty and have a `next`. */
  readHistory(script: number, name: string, cursor: string | null, limit: number): Promise<Page<HistoryRecord>>;
  readParts(ids: readonly string[]): Promise<readonly (PartRecord | null)[]>;
  listFailures(partId: string, cursor: string | null, limit: number): Promise<Page<FailureRecord>>;

  readonly refreshes: Refreshes;
  /** Redis TIME, ms. */
  now(): Promise<number>;
}
