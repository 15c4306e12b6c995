import { DirectoryError } from './directory-error.ts';

/** The cursor after the batch with this number, in order of creation. */
export function formatBatchCursor(number: string): string {
  return Buffer.from(`b${number}`).toString('base64url');
}

/** The number in a cursor. Errors: `DirectoryError` `CURSOR_INVALID`. */
export function parseBatchCursor(cursor: string): string {
  const number = /^b([1-9]\d{0,14})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'))?.[1];
  if (!number || formatBatchCursor(number) !== cursor) {
    throw new DirectoryError('CURSOR_INVALID', 'This is not a cursor of the list of batches.');
  }
  return number;
}
