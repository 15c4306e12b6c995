/** What an operation asks for. Durations as the API takes them: `30D`, `1M`. */
export type RecordedChange =
  | { readonly kind: 'set'; readonly expiresAt: number | null }
  | { readonly kind: 'set-for'; readonly duration: string }
  | { readonly kind: 'extend'; readonly duration: string }
  | { readonly kind: 'revoke' };

/** One operation that was sent, as its client knows it. Times are ms since 1970. */
export interface RecordedOperation {
  readonly script: string;
  /** In any case. */
  readonly username: string;
  readonly change: RecordedChange;
  /** Its place in the ledger's order for this access; null where the API does not tell (rows of a batch). */
  readonly version: number | null;
  /** Its place in a batch, whose rows are accepted in their order. */
  readonly batch?: { readonly id: string; readonly row: number };
  /** It was accepted no earlier: when it was first sent, or its accept time. */
  readonly from: number;
  /** It was accepted no later: when the answer was here, or its accept time. */
  readonly to: number;
  /** When it was last redriven: from then on its place in the order may be a later one. */
  readonly redrivenAt?: number;
  /** False where no answer ever came: it may have been accepted or not. */
  readonly answered: boolean;
  /** The outcome it ended with; of a row all that its batch counts and its failures do not contradict. */
  readonly outcomes: readonly string[];
  /** Operation id, or batch and row. */
  readonly source: string;
}

/** An entry of the sandbox's own log of writes (`GET /__sandbox/writes`). */
export interface RecordedWrite {
  readonly seq: number;
  readonly at: number;
  readonly arrivedAt: number;
  readonly op: 'add' | 'modify' | 'remove';
  readonly pine_id: string;
  readonly username: string;
  readonly expiration: string | null;
  readonly result: string;
  readonly applied: boolean;
  readonly requestId: string | null;
  readonly late: boolean;
  readonly overlap: boolean;
}

/** A member as the sandbox lists it, or as it was before anything was sent. */
export interface RecordedMember {
  readonly script: string;
  readonly username: string;
  /** ISO 8601; null = lifetime. */
  readonly expiration: string | null;
}

/** A batch as the API showed it at some instant. */
export interface BatchReading {
  readonly id: string;
  readonly at: number;
  readonly total: number;
  readonly pending: number;
  readonly outcomes: Readonly<Record<string, number>>;
}

/** An access as the API showed it in the end. */
export interface AccessReading {
  readonly script: string;
  readonly username: string;
  readonly status: string;
  readonly applied: { readonly state: string; readonly expiresAt: string | null };
}

/** Everything that is known of a run, when all has become quiet. */
export interface RecordedHistory {
  readonly operations: readonly RecordedOperation[];
  /** The whole log, oldest first. */
  readonly writes: readonly RecordedWrite[];
  readonly members: readonly RecordedMember[];
  /** Who was a member before anything was sent. Default: nobody. */
  readonly membersBefore?: readonly RecordedMember[];
  /** In the order they were read, the last of each batch when all was quiet. */
  readonly batches?: readonly BatchReading[];
  readonly accesses?: readonly AccessReading[];
  /** When a worker stood still, ms: the only excuse for two writes at once (I4). */
  readonly frozen?: readonly { readonly from: number; readonly to: number }[];
  /** When the members were read: a date that has passed by then is no access. */
  readonly readAt: number;
}

/** A broken promise. `key`: script and lower-case username, null where it concerns a batch. */
export interface Violation {
  readonly invariant: 'I1' | 'I2' | 'I3' | 'I4' | 'I8';
  readonly key: string | null;
  readonly detail: string;
}

/** How one access is named in violations. */
export function accessKey(script: string, username: string): string {
  return `${script} ${username.toLowerCase()}`;
}
