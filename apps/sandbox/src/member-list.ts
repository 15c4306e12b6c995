import { buildSortedList, type SortedList } from './sorted-list.ts';
import { compareText } from './usernames.ts';

/** What the orders of a member list look at. */
export type Rank = {
  /** The username in lower case. */
  readonly key: string;
  /** ms since 1970. */
  readonly created: number;
  /** Grows with every addition: tells apart what was created in the same millisecond. */
  readonly serial: number;
  /** ms since 1970; null = lifetime. */
  readonly expiration: number | null;
};

export type Member = Rank & { readonly username: string };

const COMPARE = {
  created: (a: Rank, b: Rank) => a.created - b.created || a.serial - b.serial,
  username: (a: Rank, b: Rank) => compareText(a.key, b.key),
  soonest: (a: Rank, b: Rank) => compareExpiration(a, b) || compareText(a.key, b.key),
  latest: (a: Rank, b: Rank) => compareExpiration(b, a) || compareText(a.key, b.key),
};
export type Index = keyof typeof COMPARE;

/** The members of one script, in every order that was ever asked for. */
export type MemberList = {
  readonly size: number;
  get(username: string): Member | undefined;
  /** Adds the member or replaces the one of that name, who keeps the creation date. */
  put(username: string, expiration: number | null, created: number): Member;
  remove(username: string): boolean;
  all(): Iterable<Member>;
  /** The index is built when first asked for and kept up from then on. */
  sorted(index: Index): SortedList<Member, Rank>;
};

export function buildMemberList(): MemberList {
  const members = new Map<string, Member>();
  const indices = new Map<Index, SortedList<Member, Rank>>();
  let serials = 0;

  function sorted(index: Index): SortedList<Member, Rank> {
    let list = indices.get(index);
    if (!list) {
      list = buildSortedList<Member, Rank>(COMPARE[index], members.values());
      indices.set(index, list);
    }
    return list;
  }

  return {
    get size() {
      return members.size;
    },
    get: (username) => members.get(username.toLowerCase()),
    put(username, expiration, created) {
      const key = username.toLowerCase();
      const old = members.get(key);
      const serial = old?.serial ?? serials++;
      const member: Member = { key, username, created: old?.created ?? created, serial, expiration };
      members.set(key, member);
      for (const list of indices.values()) {
        if (old) list.remove(old);
        list.insert(member);
      }
      return member;
    },
    remove(username) {
      const key = username.toLowerCase();
      const old = members.get(key);
      if (!old) return false;
      members.delete(key);
      for (const list of indices.values()) list.remove(old);
      return true;
    },
    all: () => members.values(),
    sorted,
  };
}

/** Lifetime sorts after every date, as PostgreSQL sorts null. */
function compareExpiration(a: Rank, b: Rank): number {
  if (a.expiration === b.expiration) return 0;
  if (a.expiration === null) return 1;
  if (b.expiration === null) return -1;
  return a.expiration - b.expiration;
}

/** The orders `list_users` knows. */
export const ORDERS: Readonly<Record<string, { readonly index: Index; readonly reverse: boolean }>> = {
  created: { index: 'created', reverse: false },
  '-created': { index: 'created', reverse: true },
  user__username: { index: 'username', reverse: false },
  '-user__username': { index: 'username', reverse: true },
  'expiration,user__username': { index: 'soonest', reverse: false },
  '-expiration,user__username': { index: 'latest', reverse: false },
};

/** A member list's order for members who are not in one. */
export function compareBy(index: Index): (a: Rank, b: Rank) => number {
  return COMPARE[index];
}
