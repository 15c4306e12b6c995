/** An access at the upstream: the script's pine id and the username in the spelling to send. */
export type AccessTarget = { readonly script: string; readonly username: string };

/** An access and the date it is to last to: ms since 1970 UTC, null = lifetime. */
export type AccessGrant = AccessTarget & { readonly expiresAt: number | null };

/** One form field's value; lone surrogates become U+FFFD instead of an exception. */
export function encodeField(value: string): string {
  return encodeURIComponent(value.toWellFormed());
}

/** Body of `add` and `modify`: without `expiration` the access is for life. */
export function encodeGrant(grant: AccessGrant): string {
  const target = encodeTarget(grant);
  return grant.expiresAt === null ? target : `${target}&expiration=${encodeExpiration(grant.expiresAt)}`;
}

/** Body of `remove`, and the part of a grant's body that names the access. */
export function encodeTarget({ script, username }: AccessTarget): string {
  return `${encodeScript(script)}&username_recip=${encodeField(username)}`;
}

/** Body of `list_users`. */
export function encodeListFilter(script: string, username: string | undefined): string {
  const body = encodeScript(script);
  return username === undefined ? body : `${body}&username=${encodeField(username)}`;
}

/** Body of `signin`. */
export function encodeSignIn(username: string, password: string): string {
  return `username=${encodeField(username)}&password=${encodeField(password)}&remember=on`;
}

// Thousands of calls in a row are about one script, and give the same date.
let lastScript = { script: '', text: 'pine_id=' };
let lastDate = { expiresAt: Number.NaN, text: '' };

function encodeScript(script: string): string {
  if (script !== lastScript.script) lastScript = { script, text: `pine_id=${encodeField(script)}` };
  return lastScript.text;
}

function encodeExpiration(expiresAt: number): string {
  if (expiresAt !== lastDate.expiresAt) {
    lastDate = { expiresAt, text: new Date(expiresAt).toISOString().replaceAll(':', '%3A') };
  }
  return lastDate.text;
}

// With or without a fraction, in UTC or with an offset; Date alone would also read `2026` or `1 Jan`.
const EXPIRATION = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** Reads an expiration as the upstream writes it (`2026-10-01T00:00:00+00:00`) to ms since 1970; NaN when it is no date. */
export function parseExpiration(text: string): number {
  return EXPIRATION.test(text) ? Date.parse(text) : Number.NaN;
}
