/** What is audited: every action of an operator, and every change to an account, a key or a flag. */
export const AUDIT_ACTIONS = [
  'account.put',
  'account.remove',
  'account.pause',
  'account.resume',
  'account.session',
  'session.put',
  'script.refresh',
  'access.retry',
  'batch.retry',
  'batch.cancel',
  'flags.put',
  'key.create',
  'key.put',
  'key.rotate',
  'key.remove',
  'queue.act',
  'login',
] as const;

/** One of `AUDIT_ACTIONS`. `account.session`: a check of the cookies parked an account or let it go on; `queue.act`: on the board. */
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** How an audited action ended: `refused` by what was asked for, `failed` by a fault. */
export const AUDIT_RESULTS = ['done', 'refused', 'failed'] as const;

/** One of `AUDIT_RESULTS`. */
export type AuditResult = (typeof AUDIT_RESULTS)[number];

/** Plain values as JSON has them; never a secret. */
export type AuditState = Readonly<Record<string, unknown>>;

/** Who did what to what, and what came of it. */
export interface AuditEntry {
  /** Id of the API key, or `system` for what workers do by themselves. */
  readonly actor: string;
  readonly actorName: string;
  /** Where the request came from; null where there was none. */
  readonly address: string | null;
  readonly action: AuditAction;
  /** Id of what was acted on: an account, key, batch, script, or script and username with a space between. */
  readonly target: string;
  /** The operator's own words. */
  readonly reason: string | null;
  /** The state before; null where there was none. Only the fields that differ from `after` are kept. */
  readonly before: AuditState | null;
  readonly after: AuditState | null;
  readonly result: AuditResult;
  /** Code of the problem where it was not done. */
  readonly code: string | null;
}

/** An entry as it is kept. */
export interface AuditRecord extends AuditEntry {
  readonly id: string;
  /** Redis TIME, ms. */
  readonly at: number;
}

const LONGEST_STATE = 16_384;

/** The text that is kept of an entry: of both states what differs, and no state that is very long. */
export function formatAuditEntry(entry: AuditEntry): string {
  const { before, after } = entry;
  return JSON.stringify({
    ...entry,
    before: bounded(before && after ? differing(before, after) : before),
    after: bounded(before && after ? differing(after, before) : after),
  });
}

/** Reads what `formatAuditEntry`, or Lua, wrote under the id of a stream. */
export function parseAuditEntry(id: string, text: string): AuditRecord {
  const entry = JSON.parse(text) as AuditEntry;
  return { id, at: Number(id.split('-', 1)[0]), ...entry };
}

function differing(state: AuditState, other: AuditState): AuditState {
  const differs = ([name, value]: [string, unknown]) => JSON.stringify(value) !== JSON.stringify(other[name]);
  return Object.fromEntries(Object.entries(state).filter(differs));
}

// A thousand scripts before and after, entry by entry, would fill Redis with what nobody reads.
function bounded(state: AuditState | null): AuditState | null {
  const length = state === null ? 0 : JSON.stringify(state).length;
  return length > LONGEST_STATE ? { tooLong: length } : state;
}
