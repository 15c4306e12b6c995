import type { ListedMember } from '@pinegate/ledger';
import type { MemberPage } from '@pinegate/tradingview';
import { ReadingError } from './ask-upstream.ts';

/** Members by lower-case name. */
export type Members = Map<string, ListedMember>;

/** How far a reading is. */
export interface Reading {
  readonly pages: number;
  readonly members: number;
}

const MAX_PAGES = 10_000;

/**
 * Reads a member list page by page to its end.
 * Errors: those of `fetchPage`; `ReadingError` `list_repeats` when the pages lead back, `list_changed` when somebody is on two of them: the
 * list moved under the reader, who may as well have missed somebody.
 */
export async function readMembers(
  fetchPage: (cursor: string | null) => Promise<MemberPage>,
  onPage: (reading: Reading) => Promise<void>,
): Promise<Members> {
  const members: Members = new Map();
  const cursors = new Set<string>();
  let cursor: string | null = null;
  for (let pages = 1; pages <= MAX_PAGES; pages++) {
    const page: MemberPage = await fetchPage(cursor);
    const place = page.next === null ? null : (new URLSearchParams(page.next).get('c') ?? page.next);
    if (place !== null && cursors.has(place)) throw new ReadingError('list_repeats');
    for (const member of page.members) {
      const name = member.username.toLowerCase();
      if (members.has(name)) throw new ReadingError('list_changed');
      members.set(name, member);
    }
    await onPage({ pages, members: members.size });
    if (place === null) return members;
    cursors.add(place);
    cursor = page.next;
  }
  throw new ReadingError('list_repeats');
}
