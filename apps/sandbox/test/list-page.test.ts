import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PageQuery, readPage } from '../src/list-page.ts';
import { buildMemberList, type MemberList, ORDERS } from '../src/member-list.ts';

const QUERY: PageQuery = {
  orderBy: 'created',
  limit: 3,
  cursor: null,
  filter: '',
  match: 'prefix',
  visible: () => true,
};

function listOf(count: number): MemberList {
  const list = buildMemberList();
  for (let i = 0; i < count; i++) list.put(`user${String(i).padStart(6, '0')}`, null, i);
  return list;
}

function walk(list: MemberList, query: Partial<PageQuery>, between = (_page: number) => {}): string[] {
  const seen: string[] = [];
  let cursor: string | null = null;
  for (let page = 0; ; page++) {
    const read = readPage(list, { ...QUERY, ...query, cursor });
    if (!read) throw new Error('a cursor was refused');
    seen.push(...read.members.map((member) => member.username));
    if (read.next === null) return seen;
    cursor = read.next;
    between(page);
  }
}

describe('a page of members', () => {
  it('has no next at the end and no prev at the start', () => {
    const list = listOf(3);
    expect(readPage(list, QUERY)).toMatchObject({ next: null, prev: null });
    expect(readPage(buildMemberList(), QUERY)).toEqual({ members: [], next: null, prev: null });
  });

  it('leads forth and back to the same members', () => {
    const list = listOf(8);
    for (const orderBy of Object.keys(ORDERS)) {
      const first = readPage(list, { ...QUERY, orderBy });
      const second = readPage(list, { ...QUERY, orderBy, cursor: first?.next ?? null });
      const back = readPage(list, { ...QUERY, orderBy, cursor: second?.prev ?? null });
      expect(back?.members).toEqual(first?.members);
      expect(back).toMatchObject({ prev: null, next: first?.next });
    }
  });

  it('keeps every order TradingView knows', () => {
    const list = buildMemberList();
    list.put('Beta', 200, 1);
    list.put('alpha', null, 2);
    list.put('delta', 100, 3);
    list.put('Carol', 200, 3);
    const orders = Object.fromEntries(
      Object.keys(ORDERS).map((orderBy) => [orderBy, walk(list, { orderBy }).join(' ')]),
    );
    expect(orders).toEqual({
      created: 'Beta alpha delta Carol',
      '-created': 'Carol delta alpha Beta',
      user__username: 'alpha Beta Carol delta',
      '-user__username': 'delta Carol Beta alpha',
      'expiration,user__username': 'delta Beta Carol alpha',
      '-expiration,user__username': 'alpha Beta Carol delta',
    });
  });

  it('refuses an order and cursors that were never given out', () => {
    const list = listOf(3);
    expect(readPage(list, { ...QUERY, orderBy: 'id' })).toBeNull();
    for (const value of ['', '%%%', '{}', '[]', '[1,2]', '[true,"a",1,2,"x"]', '[true,"a",null,2,null]']) {
      expect(readPage(list, { ...QUERY, cursor: Buffer.from(value).toString('base64url') })).toBeNull();
    }
  });

  it('finds by prefix or anywhere, in any case, over pages and in the asked order', () => {
    const list = buildMemberList();
    for (const name of ['bob', 'abob', 'BOBBY', 'bo', 'bobo', 'bob_1', 'carol']) list.put(name, null, 0);
    expect(walk(list, { filter: 'bob', orderBy: '-created', limit: 2 })).toEqual(['bob_1', 'bobo', 'BOBBY', 'bob']);
    expect(walk(list, { filter: 'bob', match: 'substring', limit: 2 })).toEqual([
      'bob',
      'abob',
      'BOBBY',
      'bobo',
      'bob_1',
    ]);
    expect(walk(list, { filter: 'zed' })).toEqual([]);
  });

  it('leaves out those who are not visible without ending early', () => {
    const list = listOf(100);
    const visible = ({ serial }: { serial: number }) => serial % 10 === 9;
    expect(walk(list, { visible })).toHaveLength(10);
  });

  it('misses nobody who stays and repeats nobody, whoever comes, goes and changes between pages', () => {
    const change = fc.record({ what: fc.constantFrom('add', 'remove', 'move'), who: fc.nat(59) });
    const query = fc.record({
      orderBy: fc.constantFrom(...Object.keys(ORDERS).filter((o) => !o.includes('expiration'))),
      limit: fc.integer({ min: 1, max: 30 }),
    });
    fc.assert(
      fc.property(query, fc.array(change, { maxLength: 40 }), (asked, changes) => {
        const list = listOf(40);
        const touched = new Set<string>();
        const pending = [...changes];
        const seen = walk(list, asked, () => {
          for (const { what, who } of pending.splice(0, 3)) {
            const name = `user${String(who).padStart(6, '0')}`;
            if (what !== 'move') touched.add(name);
            if (what === 'remove') list.remove(name);
            else list.put(name, what === 'add' ? null : who, 1000);
          }
        });
        const stayed = Array.from(list.all(), (member) => member.username).filter((name) => Number(name.slice(4)) < 40);
        for (const name of stayed) if (!touched.has(name)) expect(seen).toContain(name);
        for (const name of new Set(seen))
          if (!touched.has(name)) expect(seen.filter((n) => n === name)).toHaveLength(1);
      }),
    );
  });

  it('reads all of 100,000 members exactly once', () => {
    const list = listOf(100_000);
    const seen = walk(list, { orderBy: '-expiration,user__username', limit: 30 });
    expect(seen).toHaveLength(100_000);
    expect(new Set(seen).size).toBe(100_000);
  });
});
