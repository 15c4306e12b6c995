import type { AccessState, Action, Change, Lane, Operation, Outcome } from '@pinegate/access';

/** Two service classes: somebody waits for a single operation, nobody for a bulk row. */
export type LaneClass = 'single' | 'bulk';

/** A budget of upstream calls that a key may need: writes of either kind, or a read. */
export type CallBudget = 'grant' | 'revoke' | 'list';

/** What a part belongs to. Constant over all submits of one part. */
export interface PartRef {
  /** Batch id or operation id. */
  readonly id: string;
  /** `single`: one operation, readable by its id; `batch`: this account's share of a batch. */
  readonly kind: 'single' | 'batch';
  readonly lane: LaneClass;
  /** Whose turn its chunks take: the API key's id in the single lanes, the batch's in the bulk lanes. */
  readonly turn: string;
  /** Id of the API key it came with. */
  readonly source: string;
  /** Its users are looked up before any request of theirs is sent, unless they are known already. */
  readonly validate?: boolean;
}

/** One accepted row. `row` counts from 1 inside the part's batch and only grows; `script` is the index of `resolveScript`. */
export interface SubmitRow {
  readonly row: number;
  readonly script: number;
  readonly operation: Operation;
}

/** How many bells to ring, per lane. */
export type Bells = Partial<Record<Lane, number>>;

export type SubmitResult =
  | {
      readonly status: 'taken';
      /** Number of the part inside its account. */
      readonly part: number;
      /** Redis TIME of the accept, ms. */
      readonly acceptedAt: number;
      /** Rows refused as `too_many_pending` (now or when they were first sent). */
      readonly refused: readonly number[];
      readonly bells: Bells;
      /** What ended at once, by kind: it was so already, or this submit replaced it. */
      readonly ended: readonly EndedCount[];
      /** Of a single operation the access as the submit has left it; null where the operation had been taken before, and of a batch. */
      readonly record: AccessRecord | null;
    }
  /** The part's last row is not the one that the caller named; nothing was written. */
  | { readonly status: 'gap'; readonly watermark: number }
  | { readonly status: 'cancelled' };

/** A contributor of a chain: an accepted operation that is not settled. */
export type Contributor = Change & { readonly version: number; readonly part: number };

/** One access as the ledger knows it. */
export interface AccessRecord {
  readonly script: number;
  /** Best-known spelling. */
  readonly username: string;
  readonly spellingAccepted: boolean;
  readonly version: number;
  /** Newest version that a write was armed with. */
  readonly armedVersion: number;
  readonly base: AccessState;
  /** Since when `base` is known, ms; 0 = never. */
  readonly at: number;
  /** Until when a write of ours may still land unseen, ms; 0 = none. */
  readonly window: number;
  readonly tries: number;
  readonly lapses: number;
  readonly last: Outcome | null;
  readonly chain: readonly Contributor[];
}

/** Counters of one part. Always: pending + the sum of outcomes = total (I8). */
export interface PartRecord {
  readonly id: string;
  readonly number: number;
  readonly kind: 'single' | 'batch';
  readonly lane: LaneClass;
  readonly source: string;
  readonly watermark: number;
  readonly total: number;
  readonly pending: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly cancelled: boolean;
  readonly acceptedAt: number;
  /** When pending last fell to 0, ms; null while something is pending. */
  readonly settledAt: number | null;
  /** Operations settled a second, an average over about the last 10 s. */
  readonly ratePerSecond: number;
  /** Only for `kind: 'single'`. */
  readonly operation: {
    readonly script: number;
    readonly username: string;
    readonly version: number;
    readonly outcome: Outcome | null;
    readonly error: string | null;
  } | null;
}

/** An operation that ended `rejected` or `failed`, kept until retention. */
export interface FailureRecord {
  readonly script: number;
  readonly username: string;
  readonly version: number;
  readonly outcome: 'rejected' | 'failed';
  /** What happened last: a code of the upstream client, or `POISON`. */
  readonly code: string;
  readonly change: Change;
  readonly at: number;
}

/** A failure with the part that it belongs to. */
export interface RecentFailure extends FailureRecord {
  /** Batch id or operation id. */
  readonly part: string;
  readonly kind: PartRef['kind'];
}

/** A chunk taken from a lane: up to 50 keys of one script. */
export interface Chunk {
  readonly id: string;
  readonly script: number;
  readonly action: Action;
  /** Of bulk lanes the batch, of single lanes the API key. */
  readonly turn: string;
  readonly names: readonly string[];
}

/** The answer of claim for one key; `name` is the lower-case key. */
export type Claimed = { readonly name: string } & (
  | { readonly need: 'held' | 'done' }
  | { readonly need: 'wait'; readonly at: number }
  | { readonly need: 'permit'; readonly budget: CallBudget }
  | ({ readonly need: 'write' | 'base' | 'final' | 'verify' } & ClaimedWork)
);

/** Work under a claim. */
export interface ClaimedWork {
  /** Redis TIME of the claim, ms. */
  readonly claimedAt: number;
  /** Version that a write under this claim carries. */
  readonly version: number;
  readonly base: AccessState;
  /** `base` is fresh and no write of ours may be under way: it says surely whether the user is a member. */
  readonly sure: boolean;
  readonly spelling: string;
  readonly spellingAccepted: boolean;
  readonly chain: readonly Contributor[];
  /** Contributors up to this version are fixed: a write was armed with them. */
  readonly armedVersion: number;
  readonly tries: number;
  /** The spelling is not known to be right, and somebody asked for it to be looked up before anything is sent. */
  readonly validate: boolean;
  /** Only after `verified` found a difference: whether the read saw a member. */
  readonly member?: boolean;
}

/** What came of a claim. `carried` = the version of the write; `sent` = a request that may land left under it. */
export type Settlement = {
  readonly script: number;
  readonly name: string;
  readonly token: string;
  readonly carried: number;
  readonly sent: boolean;
} & (
  | {
      readonly result: 'applied';
      readonly target: AccessState;
      readonly outcome: 'granted' | 'changed' | 'revoked' | 'unchanged';
      /** The spelling that upstream accepted, if the call proved one. */
      readonly spelling?: string;
      /** The write is read again after U, as if it had been uncertain. */
      readonly verify?: boolean;
    }
  | { readonly result: 'rejected'; readonly code: string; readonly spelling?: string }
  | { readonly result: 'uncertain'; readonly code: string; readonly retryMs: number; readonly spend: boolean }
  | { readonly result: 'unapplied'; readonly code: string; readonly retryMs: number }
);

/** Answer of settle, fix, final and verified for one key: what is left to do, and what ended in this call. */
export type Settled = { readonly ended: readonly EndedOperation[] } & (
  | { readonly need: 'done' | 'again' | 'lost' }
  | { readonly need: 'wait'; readonly at: number }
);

/** An operation that ended, for metrics and logs. */
export interface EndedOperation {
  readonly outcome: Outcome;
  readonly action: Action;
  readonly lane: LaneClass;
  /** From the accept of its part, ms. */
  readonly afterMs: number;
}

/** How many operations ended in one way. */
export interface EndedCount {
  readonly outcome: Outcome;
  readonly action: Action;
  readonly count: number;
}

/** What waits in an account. */
export interface LedgerSummary {
  readonly pending: Readonly<Record<Lane, number>>;
  readonly waitingChunks: Readonly<Record<Lane, number>>;
  /** Chunks that wait or that a job has taken, also for verifications, which nothing pending shows. */
  readonly openChunks: number;
  readonly cancelsUnderWay: number;
  /** When the next key is due, ms; null when none is. */
  readonly nextDue: number | null;
  /** Redis TIME of this reading, ms. */
  readonly now: number;
  /** Since when something has been pending without a break in the part that waits longest, ms; null where nothing is pending. */
  readonly waitingSince: Readonly<Record<Lane, number | null>>;
}

export interface Redriven {
  readonly redriven: number;
  readonly superseded: number;
  /** Stay failed, since their chain is full: to be tried again later. */
  readonly refused: number;
  readonly bells: Bells;
}

/** How TradingView's list differs from the ledger. */
export interface Drift {
  readonly username: string;
  readonly ledger: AccessState;
  readonly upstream: AccessState;
}

export interface ListedMember {
  readonly username: string;
  readonly expiresAt: number | null;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}
