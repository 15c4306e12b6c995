import type { BatchReading, RecordedChange } from '@pinegate/testing';

/** An operation as its client sent it. */
export interface SentOperation {
  readonly script: string;
  /** Lower case. */
  readonly username: string;
  readonly change: RecordedChange;
}

/** What the clients of a storm know, in the end of all of them. */
export interface StormRecord {
  /** By operation id. */
  readonly singles: Map<string, SentOperation>;
  /** Singles that were refused in the end although an earlier try of the same may have been taken. */
  readonly doubtful: SentOperation[];
  /** Rows by batch id, from row 1 on. */
  readonly batches: Map<string, readonly SentOperation[]>;
  /** What was answered to a batch: rows accepted. Absent where it was cancelled before it was all there. */
  readonly accepted: Map<string, number>;
  readonly readings: BatchReading[];
  /** When a worker stood still, or this machine did. */
  readonly frozen: { readonly from: number; readonly to: number }[];
  /** Answers that no client should ever get, and answers that contradict each other. */
  readonly wrongAnswers: string[];
  readonly counts: Record<string, number>;
}

export function createRecord(): StormRecord {
  return {
    singles: new Map(),
    doubtful: [],
    batches: new Map(),
    accepted: new Map(),
    readings: [],
    frozen: [],
    wrongAnswers: [],
    counts: {},
  };
}

export function tally(counts: Record<string, number>, name: string, by = 1): void {
  counts[name] = (counts[name] ?? 0) + by;
}
