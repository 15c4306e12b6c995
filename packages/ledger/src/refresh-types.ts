import type { Drift, ListedMember, Page } from './types.ts';

/** `report` only compares the member list with the ledger, `adopt` takes it as known afterwards. */
export type RefreshMode = 'report' | 'adopt';

/** How a member list can differ: in the ledger only, at TradingView only, or with another expiry. */
export const DRIFT_KINDS = ['missing', 'surplus', 'otherExpiry'] as const;

/** One of {@link DRIFT_KINDS}. */
export type DriftKind = (typeof DRIFT_KINDS)[number];

/** One refresh of a script. Times are ms since 1970. */
export interface RefreshRun {
  readonly id: string;
  readonly script: number;
  readonly mode: RefreshMode;
  readonly state: 'queued' | 'running' | 'done' | 'failed';
  /** Why it failed. */
  readonly code: string | null;
  /** Read so far, in this attempt. */
  readonly pages: number;
  readonly members: number;
  /** The whole list is read and compared: the report stands, whatever happens now. */
  readonly compared: boolean;
  /** Accesses that were compared, and those left alone: an operation is under way, or is newer than the list. */
  readonly known: number;
  readonly skipped: number;
  readonly drift: Readonly<Record<DriftKind, number>>;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

/** What a worker learned of a run. */
export interface RefreshNote {
  readonly pages?: number;
  readonly members?: number;
  readonly known?: number;
  readonly skipped?: number;
  readonly compared?: boolean;
  readonly drift?: readonly Drift[];
}

/** What a worker gets in hand. */
export type RefreshTaken =
  | { readonly status: 'taken'; readonly script: number; readonly mode: RefreshMode; readonly compared: boolean }
  /** Another worker has it, or had it a moment ago. */
  | { readonly status: 'held' }
  | { readonly status: 'over' };

/** Refreshes of one account. A run is in the hands of one worker, by a token and a lease; whoever takes it over begins with the first page. */
export interface Refreshes {
  /** `known` = this id was begun before; `busy` = `id` is another run of the script that is not over. */
  begin(
    id: string,
    script: number,
    mode: RefreshMode,
  ): Promise<{ readonly status: 'begun' | 'known' | 'busy'; readonly id: string }>;
  read(id: string): Promise<RefreshRun | null>;
  /** Of each kind the first 10,000 are kept. */
  drift(id: string, kind: DriftKind, cursor: string | null, limit: number): Promise<Page<Drift>>;
  take(id: string, token: string): Promise<RefreshTaken>;
  /** Renews the lease of 30 s. false: the run is in other hands, and this worker must stop. */
  note(id: string, token: string, note: RefreshNote): Promise<boolean>;
  end(id: string, token: string, state: 'done' | 'failed', code: string | null): Promise<boolean>;
  /** Lets go, for another worker to go on. */
  release(id: string, token: string): Promise<void>;
  /** Runs that nobody has had in hand for `ms`: their task is lost. */
  stale(ms: number): Promise<readonly string[]>;
  /** One slice of a complete list begun at `since`; `seen` names the set of names that `absent` goes by. */
  page(
    script: number,
    seen: string,
    since: number,
    adopt: boolean,
    members: readonly ListedMember[],
  ): Promise<{ readonly drift: readonly Drift[]; readonly known: number; readonly skipped: number }>;
  /**
   * Only after the last slice: one step over the keys in none of them; `next` = bucket to go on from. `lost`: the names seen are gone, and
   * nothing may be concluded.
   */
  absent(
    script: number,
    seen: string,
    since: number,
    adopt: boolean,
    bucket: number,
  ): Promise<{
    readonly drift: readonly Drift[];
    readonly known: number;
    readonly next: number | null;
    readonly lost: boolean;
  }>;
}

/** What kind of drift an entry is. @param now ms since 1970: an expiry that has passed is no access. */
export function driftKindOf({ ledger, upstream }: Drift, now: number): DriftKind {
  if (upstream.state !== 'granted') return 'missing';
  const granted = ledger.state === 'granted' && (ledger.expiresAt === null || ledger.expiresAt > now);
  return granted ? 'otherExpiry' : 'surplus';
}
