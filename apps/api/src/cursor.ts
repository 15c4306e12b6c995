import { Problem } from './problem.ts';

/** Makes a cursor opaque: clients must not build or read one. */
export function encodeCursor(cursor: string | null): string | null {
  return cursor === null ? null : Buffer.from(`1:${cursor}`).toString('base64url');
}

/**
 * Reads a cursor that {@link encodeCursor} made.
 * Errors: `Problem` `invalid_cursor`.
 */
export function decodeCursor(text: string | undefined): string | null {
  if (text === undefined) return null;
  const decoded = Buffer.from(text, 'base64url').toString();
  // Compared with its own encoding, because Buffer skips over what is no base64.
  if (!decoded.startsWith('1:') || encodeCursor(decoded.slice(2)) !== text) throw invalidCursor();
  return decoded.slice(2);
}

/** The answer to a cursor that means nothing to its list. */
export function invalidCursor(cause?: unknown): Problem {
  return new Problem('invalid_cursor', 'Send the `next` of the page before, unchanged, or no cursor.', { cause });
}
