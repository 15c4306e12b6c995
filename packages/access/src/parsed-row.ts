import type { Duration } from './duration.ts';

/** Until when a grant holds. `expiresAt`: ms since 1970 UTC; `duration` counts from the accept time, `extend` as `fold` says. */
export type Until =
  | { readonly kind: 'date'; readonly expiresAt: number }
  | { readonly kind: 'lifetime' }
  | { readonly kind: 'duration'; readonly duration: Duration }
  | { readonly kind: 'extend'; readonly duration: Duration };

/** One operation as it was asked for, valid and clean. */
export type Operation =
  | { readonly action: 'grant'; readonly script: string; readonly username: string; readonly until: Until }
  | { readonly action: 'revoke'; readonly script: string; readonly username: string };

/**
 * Why a row is rejected: a closed set. This package gives all but the last three, which need to know the accounts'
 * scripts (`unknown_script`), the request (`idempotency_key_required`) and the ledger (`too_many_pending`).
 */
export type RowCode =
  | 'invalid_row'
  | 'unknown_field'
  | 'invalid_action'
  | 'invalid_script'
  | 'invalid_username'
  | 'invalid_expiry'
  | 'expiry_in_past'
  | 'invalid_duration'
  | 'expiry_missing'
  | 'expiry_ambiguous'
  | 'expiry_not_allowed'
  | 'unknown_script'
  | 'idempotency_key_required'
  | 'too_many_pending';

/** A row that was refused. `field`: the field or column at fault, null for the whole row; `detail`: a sentence for people. */
export type RejectedRow = {
  readonly ok: false;
  readonly code: RowCode;
  readonly field: string | null;
  readonly detail: string;
};

/** What parsing a row gives. */
export type ParsedRow = { readonly ok: true; readonly operation: Operation } | RejectedRow;

/** Builds a {@link RejectedRow}. */
export function reject(code: RowCode, field: string | null, detail: string): RejectedRow {
  return { ok: false, code, field, detail };
}

const SHOWN = 60;

/** A value as a message may show it: short, whatever a client sent. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (typeof value === 'string') {
    const text = JSON.stringify(value.length > SHOWN ? value.slice(0, SHOWN) : value);
    // Escaping can make six characters of one.
    return value.length > SHOWN || text.length > SHOWN + 20 ? `${text.slice(0, SHOWN)}…"` : text;
  }
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
