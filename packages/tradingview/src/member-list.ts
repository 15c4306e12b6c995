import type { Member } from './answer-schemas.ts';
import { SITE_ORIGIN } from './request-headers.ts';
import { TradingViewError } from './trading-view-error.ts';

export type MemberOrder =
  | 'created'
  | '-created'
  | 'user__username'
  | '-user__username'
  | 'expiration,user__username'
  | '-expiration,user__username';

/** One page of a script's list. `next` is the cursor of the page after it, null on the last. */
export type MemberPage = { readonly members: readonly Member[]; readonly next: string | null };

/**
 * Called with every page, and awaited before the next one is asked for: the place to take the next request's permit,
 * and to give up by throwing. A walk that failed goes on from the last `next` seen.
 */
export type OnMemberPage = (page: MemberPage) => void | Promise<void>;

/** All members of a script. An incomplete list is no ground to conclude that somebody is absent. */
export type MemberList =
  | { readonly members: readonly Member[]; readonly complete: true }
  | {
      readonly members: readonly Member[];
      readonly complete: false;
      readonly reason: 'repeated_cursor' | 'too_many_pages';
    };

/** Asks for one page; null is the first. */
export type FetchMemberPage = (cursor: string | null) => Promise<MemberPage>;

export const LIST_USERS_PATH = '/pine_perm/list_users/';

// 300,000 members: an order of magnitude above the largest list known.
const MAX_PAGES = 10_000;

/**
 * Reads `next`, the path of the following page, to a cursor: its query string. Only that is taken, so an answer
 * cannot send the cookies to another host or endpoint. Undefined where it is no such path.
 */
export function parseNext(next: string | null | undefined): string | null | undefined {
  if (next == null || next === '') return null;
  const base = `${SITE_ORIGIN}${LIST_USERS_PATH}`;
  if (!URL.canParse(next, base)) return undefined;
  const { pathname, search } = new URL(next, base);
  return pathname === LIST_USERS_PATH && search.length > 1 ? search : undefined;
}

/** Follows the pages to the end. A user on two pages (the list moved meanwhile) counts once, as last seen. */
export async function readAllMembers(
  fetchPage: FetchMemberPage,
  from: string | null,
  onPage: OnMemberPage | undefined,
): Promise<MemberList> {
  const byName = new Map<string, Member>();
  const end = await walk(fetchPage, from, async (page) => {
    for (const member of page.members) byName.set(member.username.toLowerCase(), member);
    await onPage?.(page);
    return false;
  });
  const members = [...byName.values()];
  return end === 'end' ? { members, complete: true } : { members, complete: false, reason: end };
}

/**
 * Follows the pages until one holds the user, compared case-insensitively and whole: the upstream's own filter is a
 * prefix or substring search. Null only when the list ended without them.
 * @throws TradingViewError with reason `paging` where it did not end
 */
export async function findMember(
  fetchPage: FetchMemberPage,
  username: string,
  onPage: OnMemberPage | undefined,
): Promise<Member | null> {
  const wanted = username.toLowerCase();
  let found: Member | null = null;
  const end = await walk(fetchPage, null, async (page) => {
    found = page.members.find((member) => member.username.toLowerCase() === wanted) ?? null;
    if (found === null && page.next !== null) await onPage?.(page);
    return found !== null;
  });
  if (found !== null || end === 'end') return found;
  throw new TradingViewError('list_users', 'UNAVAILABLE', { reason: 'paging', sent: true });
}

async function walk(
  fetchPage: FetchMemberPage,
  from: string | null,
  visit: (page: MemberPage) => Promise<boolean>,
): Promise<'end' | 'repeated_cursor' | 'too_many_pages'> {
  const seen = new Set<string>();
  let cursor = from;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    if (cursor !== null) {
      const key = new URLSearchParams(cursor).get('c') ?? cursor;
      if (seen.has(key)) return 'repeated_cursor';
      seen.add(key);
    }
    const page = await fetchPage(cursor);
    if (await visit(page)) return 'end';
    if (page.next === null) return 'end';
    cursor = page.next;
  }
  return 'too_many_pages';
}
