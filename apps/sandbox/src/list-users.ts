import type { Account } from './accounts.ts';
import { type Answer, json } from './exchange.ts';
import type { Form } from './form.ts';
import { type PageQuery, readPage } from './list-page.ts';
import { type Member, ORDERS } from './member-list.ts';
import type { Parts } from './parts.ts';
import { userId } from './usernames.ts';
import { BAD_SCRIPT } from './write.ts';

const DEFAULT_LIMIT = 20;
const LARGEST_LIMIT = 30;
const BAD_PAGINATION = json(400, { code: 'bad_pagination_request', detail: 'Bad pagination request' });

/** One page of a script's members. `next` and `prev` are paths that carry the cursor `c`, null where there is nothing. */
export function listUsers(query: URLSearchParams, form: Form, account: Account, parts: Parts): Answer {
  const { pine_id: pineId = '', username = '' } = form;
  if (!account.scripts.includes(pineId)) return BAD_SCRIPT;
  const limit = query.has('limit') ? Number(query.get('limit')) : DEFAULT_LIMIT;
  const orderBy = query.get('order_by') ?? '-created';
  const isPageable = Number.isInteger(limit) && limit >= 1 && limit <= LARGEST_LIMIT;
  if (!isPageable || !Object.hasOwn(ORDERS, orderBy)) return BAD_PAGINATION;
  const { usernameFilter, expiredListed } = parts.settings.current;
  const now = parts.now();
  const page = readPage(parts.membersOf(pineId), {
    orderBy,
    limit,
    cursor: query.get('c'),
    filter: username.toLowerCase(),
    match: usernameFilter,
    visible: ({ expiration }) => expiredListed || expiration === null || expiration > now,
  } satisfies PageQuery);
  if (!page) return json(404, { detail: 'Invalid cursor' });
  const path = (cursor: string | null) =>
    cursor && `/pine_perm/list_users/?${new URLSearchParams({ limit: String(limit), order_by: orderBy, c: cursor })}`;
  return json(200, { results: page.members.map(row), next: path(page.next), prev: path(page.prev) });
}

function row({ username, expiration, created }: Member): object {
  return {
    id: userId(username),
    username,
    userpic: null,
    expiration: expiration === null ? null : isoOffset(expiration),
    created: isoOffset(created),
  };
}

/** As Python writes it: an offset instead of Z, and fractions only where there are any. */
function isoOffset(at: number): string {
  const text = new Date(at).toISOString();
  return at % 1000 === 0 ? text.replace('.000Z', '+00:00') : text.replace('Z', '000+00:00');
}
