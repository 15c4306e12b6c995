import { compareBy, type Index, type Member, type MemberList, ORDERS, type Rank } from './member-list.ts';
import { buildSortedList, type SortedList } from './sorted-list.ts';

export type PageQuery = {
  /** A key of ORDERS. */
  readonly orderBy: string;
  readonly limit: number;
  readonly cursor: string | null;
  /** Lower-case text the username must start with or contain; empty for everybody. */
  readonly filter: string;
  readonly match: 'prefix' | 'substring';
  readonly visible: (member: Member) => boolean;
};

/** `next` and `prev` are cursors, null where there is nothing. */
export type Page = { readonly members: Member[]; readonly next: string | null; readonly prev: string | null };

const FEW = 1000;

/**
 * One page. A cursor holds the place of a member in the order, not a count and not a member, so pages neither repeat nor
 * skip those who stay, whoever comes and goes between two of them. Null for a cursor or an order nobody gave out.
 */
export function readPage(list: MemberList, query: PageQuery): Page | null {
  const order = ORDERS[query.orderBy];
  const cursor = query.cursor === null ? null : decodeCursor(query.cursor);
  if (!order || (query.cursor !== null && !cursor)) return null;
  const source = narrow(list, order.index, query);
  const isWanted = (member: Member) => query.visible(member) && matches(member.key, query);

  function take(onwards: boolean, from: Rank | null, most: number): Member[] {
    const taken: Member[] = [];
    for (const member of onwards === order?.reverse ? source.before(from) : source.after(from)) {
      if (!isWanted(member)) continue;
      taken.push(member);
      if (taken.length === most) break;
    }
    return taken;
  }

  const onwards = cursor?.onwards ?? true;
  const from = cursor?.rank ?? null;
  const taken = take(onwards, from, query.limit + 1);
  const more = taken.length > query.limit;
  if (more) taken.pop();
  const members = onwards ? taken : taken.reverse();
  const first = members[0];
  const last = members.at(-1);
  if (!first || !last) return { members, next: null, prev: null };
  const hasNext = onwards ? more : take(true, last, 1).length > 0;
  const hasPrev = onwards ? from !== null && take(false, first, 1).length > 0 : more;
  return {
    members,
    next: hasNext ? encodeCursor(true, last) : null,
    prev: hasPrev ? encodeCursor(false, first) : null,
  };
}

function matches(key: string, query: PageQuery): boolean {
  return query.match === 'prefix' ? key.startsWith(query.filter) : key.includes(query.filter);
}

/** Looking one user up must not walk a list of 100,000, whatever order was asked for. */
function narrow(list: MemberList, index: Index, query: PageQuery): SortedList<Member, Rank> {
  if (query.filter === '' || query.match !== 'prefix') return list.sorted(index);
  const found: Member[] = [];
  const exact = list.get(query.filter);
  if (exact) found.push(exact);
  const from: Rank = { key: query.filter, created: 0, serial: 0, expiration: null };
  for (const member of list.sorted('username').after(from)) {
    if (!member.key.startsWith(query.filter)) break;
    if (found.length === FEW) return list.sorted(index);
    found.push(member);
  }
  return buildSortedList<Member, Rank>(compareBy(index), found);
}

function encodeCursor(onwards: boolean, { key, created, serial, expiration }: Rank): string {
  return Buffer.from(JSON.stringify([onwards, key, created, serial, expiration])).toString('base64url');
}

function decodeCursor(text: string): { onwards: boolean; rank: Rank } | null {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return null;
  }
  if (!Array.isArray(parts)) return null;
  const [onwards, key, created, serial, expiration] = parts;
  if (typeof onwards !== 'boolean' || typeof key !== 'string') return null;
  if (typeof created !== 'number' || typeof serial !== 'number') return null;
  if (typeof expiration !== 'number' && expiration !== null) return null;
  return { onwards, rank: { key, created, serial, expiration } };
}
