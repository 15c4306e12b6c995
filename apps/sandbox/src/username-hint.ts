import { type Answer, json } from './exchange.ts';
import type { Parts } from './parts.ts';
import { userId } from './usernames.ts';

const MOST_ROWS = 10;

/** A prefix search over all users. */
export function hintUsername(query: URLSearchParams, parts: Parts): Answer {
  const prefix = query.get('s') ?? '';
  const found = prefix === '' ? [] : parts.usernames.search(prefix, MOST_ROWS);
  return json(
    200,
    found.map((username) => ({ id: userId(username), username, userpic: null, inactive: false, is_broker: false })),
  );
}
