export type WriteOp = 'add' | 'modify' | 'remove';

/** `ignored`: answered with ok, nothing happened. `not_found`: the 422 for users. `bad_script`: the 422 for scripts. */
export type WriteResult = 'ok' | 'exists' | 'not_exists' | 'ignored' | 'not_found' | 'bad_script' | 'invalid';

/** One write as it took effect, or failed to. Times are the sandbox's clock, ms since 1970. */
export type WriteEntry = {
  /** Counts from 1 without gaps, in the order of the effects. */
  readonly seq: number;
  readonly at: number;
  readonly arrivedAt: number;
  readonly account: string;
  readonly op: WriteOp;
  readonly pine_id: string;
  /** As it was sent. */
  readonly username: string;
  /** As it was sent: ISO 8601, null = none was sent. */
  readonly expiration: string | null;
  readonly result: WriteResult;
  /** Whether the member list changed. */
  readonly applied: boolean;
  /** The request's `X-Request-Id`. */
  readonly requestId: string | null;
  /** It took effect when its client had gone. */
  readonly late: boolean;
  /** It arrived while another write for the same script and user was in flight. */
  readonly overlap: boolean;
};

export type WriteQuery = {
  readonly pineId?: string | undefined;
  /** In any case. */
  readonly username?: string | undefined;
  /** Only entries with a larger seq. */
  readonly after?: number | undefined;
  readonly limit?: number | undefined;
};

/** `next` is the `after` of the following page, null at the end; `dropped` entries were too old to be kept. */
export type WritePage = {
  readonly entries: WriteEntry[];
  readonly next: number | null;
  readonly dropped: number;
  readonly total: number;
};

/** A bounded log: the oldest entries go first, and are counted, so that nobody takes the rest for all. */
export type WriteLog = {
  append(entry: Omit<WriteEntry, 'seq'>, size: number): WriteEntry;
  read(query: WriteQuery): WritePage;
  clear(): void;
};

export function buildWriteLog(): WriteLog {
  let entries: (WriteEntry | undefined)[] = [];
  let start = 0;
  let total = 0;
  let dropped = 0;

  function trim(size: number): void {
    while (entries.length - start > size) {
      entries[start++] = undefined;
      dropped++;
    }
    // Moving the rest once per `size` drops keeps each append cheap.
    if (start > size) {
      entries = entries.slice(start);
      start = 0;
    }
  }

  return {
    append(entry, size) {
      const logged = { seq: ++total, ...entry };
      entries.push(logged);
      trim(size);
      return logged;
    },
    read({ pineId, username, after = 0, limit = 1000 }) {
      const key = username?.toLowerCase();
      const found: WriteEntry[] = [];
      let next: number | null = null;
      for (let i = start + Math.max(0, after - dropped); i < entries.length; i++) {
        const entry = entries[i] as WriteEntry;
        if (pineId !== undefined && entry.pine_id !== pineId) continue;
        if (key !== undefined && entry.username.toLowerCase() !== key) continue;
        if (found.length === limit) {
          next = found.at(-1)?.seq ?? null;
          break;
        }
        found.push(entry);
      }
      return { entries: found, next, dropped, total };
    },
    clear() {
      entries = [];
      start = 0;
      total = 0;
      dropped = 0;
    },
  };
}
