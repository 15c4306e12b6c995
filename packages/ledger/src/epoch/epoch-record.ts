/** The epoch as a hash tag carries it. Times are Redis TIME of the directory, ms. */
export interface EpochRecord {
  readonly id: string;
  /** The newest beat of the leader. */
  readonly beat: number;
  /** The last pause of the beats: none of them lies between. 0 and 0 = there was none. */
  readonly gap: { readonly from: number; readonly to: number };
}

/** The epoch of the directory. */
export interface DirectoryEpoch extends EpochRecord {
  readonly madeAt: number;
  /** When this was read. */
  readonly now: number;
}

/** The epoch of an account's tag. */
export interface AccountEpoch extends EpochRecord {
  /** By index of a script: in which epoch its whole member list was last taken as known, and when its first page was asked for. */
  readonly refreshed: ReadonlyMap<number, { readonly epoch: string; readonly since: number }>;
}

/** How far a beat may go back: what a power cut costs an append-only file, and some. */
const BEAT_SLACK_MS = 10_000;

/** Whether a tag is older than what has been seen of it: `seen` = the newest beat that anybody here remembers, 0 = none. */
export function hasGoneBack({ beat, gap }: EpochRecord, seen: number): boolean {
  if (beat < seen - BEAT_SLACK_MS) return true;
  return seen > gap.from + BEAT_SLACK_MS && seen < gap.to;
}
