import { type Operation, parseOperation } from '@pinegate/access';
import { type AccountLedger, type ListedMember, openLedger, type Refreshes } from '@pinegate/ledger';
import { closeRedis, openRedis, type Redis, redisReady } from '@pinegate/runtime';
import { randomNamespace } from '@pinegate/testing';
import { type MemberPage, TradingViewError } from '@pinegate/tradingview';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { type RefreshContext, refreshScript } from '../src/refresh-script.ts';

const PINE = `PUB;${'a'.repeat(32)}`;
const DAY = 86_400_000;
const LATER = Date.UTC(2035, 0, 1);
const never = new AbortController().signal;

let redis: Redis;
let ledger: AccountLedger;
let events: string[];
/** What is asked for next decides what the page is. */
let listed: ListedMember[];
let asked: string[];
let onPage: (page: MemberPage, cursor: string | null) => MemberPage;

beforeAll(async () => {
  redis = openRedis(inject('redisUrl'), 'shared');
  await redisReady(redis);
});
afterAll(() => closeRedis(redis));
beforeEach(() => {
  const times = { verifyDelayMs: 0, leaseMs: 20_000, freshMs: DAY, retentionMs: DAY, maxTries: 5 };
  ledger = openLedger({ redis, ns: randomNamespace(), times }).account('a');
  events = [];
  listed = [];
  asked = [];
  onPage = (page) => page;
});

function context(refreshes: Partial<Refreshes> = {}): RefreshContext {
  const permit = { count: 1, start: () => ({ finish() {} }), release() {} };
  return {
    account: 'a',
    ledger: { refreshes: { ...ledger.refreshes, ...refreshes }, now: () => ledger.now() },
    budget: {
      acquire: async (_b: string, _n: number, { signal }: { signal: AbortSignal }) => (signal.aborted ? null : permit),
      isBreakerOpen: () => false,
    },
    upstream: {
      async listUsersPage(_session: unknown, { cursor }: { cursor: string | null }) {
        asked.push(cursor ?? 'first');
        const at = Number(new URLSearchParams(cursor ?? '').get('c') ?? 0);
        const next = at + 2 < listed.length ? `?c=${at + 2}` : null;
        return onPage({ members: listed.slice(at, at + 2), next }, cursor);
      },
      async listUsers(_session: unknown, { username }: { username: string }) {
        asked.push(username);
        return listed.find((m) => m.username.toLowerCase() === username.toLowerCase()) ?? null;
      },
    },
    events: { refreshed: (_account: string, result: string) => void events.push(result) },
    session: () => ({ account: 'a', sessionid: 's', sessionidSign: null }),
    async suspectSession() {
      events.push('suspected');
      return 'dead';
    },
    scriptOf: () => PINE,
  } as unknown as RefreshContext;
}

function operation(raw: object): Operation {
  const parsed = parseOperation({ script: PINE, ...raw }, Date.now());
  if (!parsed.ok) throw new Error(parsed.detail);
  return parsed.operation;
}

const roster = (...names: string[]) =>
  names.map((username) => operation({ action: 'grant', username, expiresAt: new Date(LATER).toISOString() }));

/** Submits rows as one batch and settles whatever they leave to do; answers the outcomes. */
async function submit(id: string, rows: readonly Operation[]) {
  const part = { id, kind: 'batch', lane: 'bulk', turn: id, source: 'k' } as const;
  await ledger.submit(
    part,
    0,
    rows.map((op, i) => ({ row: i + 1, script: 1, operation: op })),
  );
  const names = rows.map((row) => row.username.toLowerCase());
  const { keys } = await ledger.claim(1, names, `t-${id}`, { grant: 50, revoke: 50, list: 50 });
  for (const key of keys) {
    if (key.need !== 'write') continue;
    const target = { state: 'granted', expiresAt: LATER } as const;
    const common = { script: 1, name: key.name, token: `t-${id}`, carried: key.version, sent: true };
    await ledger.settle([{ ...common, result: 'applied', target, outcome: 'granted' }]);
  }
  return (await ledger.readParts([id]))[0]?.outcomes;
}

async function refresh(id: string, mode: 'report' | 'adopt', ctx = context(), signal = never) {
  await ledger.refreshes.begin(id, 1, mode);
  const result = await refreshScript(ctx, id, signal);
  return { result, run: await ledger.refreshes.read(id) };
}

const baseOf = async (name: string) => (await ledger.readAccess(1, [name]))[0]?.base;

test('a report tells the missing, the surplus and other expiries, and changes nothing', async () => {
  await submit('b', roster('ann', 'bob', 'cid', 'dan'));
  listed = [
    { username: 'Ann', expiresAt: LATER },
    { username: 'Bob', expiresAt: LATER + DAY },
    { username: 'eve', expiresAt: null },
  ];
  const { result, run } = await refresh('a.1', 'report');
  expect(result).toEqual({ result: 'done' });
  expect(run).toMatchObject({ state: 'done', pages: 2, members: 3, compared: true, known: 5, skipped: 0 });
  expect(run?.drift).toEqual({ missing: 2, surplus: 1, otherExpiry: 1 });
  const missing = await ledger.refreshes.drift('a.1', 'missing', null, 1);
  const rest = await ledger.refreshes.drift('a.1', 'missing', missing.next, 10);
  expect([...missing.items, ...rest.items].map(({ username }) => username).sort()).toEqual(['cid', 'dan']);
  expect((await ledger.refreshes.drift('a.1', 'otherExpiry', null, 10)).items).toEqual([
    {
      username: 'Bob',
      ledger: { state: 'granted', expiresAt: LATER },
      upstream: { state: 'granted', expiresAt: LATER + DAY },
    },
  ]);
  expect(await baseOf('dan')).toEqual({ state: 'granted', expiresAt: LATER });
  expect(await baseOf('eve')).toBeUndefined();
  expect(events).toEqual(['done']);
});

test('what is adopted is known: the same roster again costs nothing', async () => {
  listed = ['ann', 'bob', 'cid'].map((username) => ({ username, expiresAt: LATER }));
  await refresh('a.1', 'adopt');
  expect(await submit('b', roster('ann', 'bob', 'cid'))).toMatchObject({ unchanged: 3, granted: 0 });
  listed = [];
  await refresh('a.2', 'adopt');
  expect(await baseOf('ann')).toEqual({ state: 'none' });
});

test.each([
  ['leads back', 'list_repeats', (page: MemberPage) => ({ ...page, next: '?c=0' })],
  [
    'shows somebody twice',
    'list_changed',
    (page: MemberPage) => ({ members: [...page.members, ...page.members], next: null }),
  ],
])('a list that %s is refused, and nothing of it is compared or adopted', async (_what, code, spoil) => {
  await submit('b', roster('ann', 'bob'));
  listed = ['cid', 'dan', 'eve'].map((username) => ({ username, expiresAt: null }));
  onPage = spoil;
  const { run } = await refresh('a.1', 'adopt');
  expect(run).toMatchObject({
    state: 'failed',
    code,
    compared: false,
    drift: { missing: 0, surplus: 0, otherExpiry: 0 },
  });
  expect(await baseOf('ann')).toEqual({ state: 'granted', expiresAt: LATER });
  expect(await baseOf('cid')).toBeUndefined();
});

test('a dead session ends the reading, and is suspected', async () => {
  listed = [{ username: 'ann', expiresAt: null }];
  onPage = () => {
    throw new TradingViewError('list_users', 'SESSION_EXPIRED', {
      sent: true,
      status: 403,
      reason: 'status',
      form: 'login_required',
    });
  };
  const { run } = await refresh('a.1', 'adopt');
  expect(run).toMatchObject({ state: 'failed', code: 'session_dead' });
  expect(events).toEqual(['suspected', 'session_dead']);
});

test('whom a page has missed is asked for by name before they are called missing', async () => {
  await submit('b', roster('ann', 'bob', 'cid'));
  listed = ['ann', 'bob', 'cid'].map((username) => ({ username, expiresAt: LATER }));
  onPage = (page) => ({ ...page, members: page.members.filter(({ username }) => username !== 'bob') });
  const { run } = await refresh('a.1', 'adopt');
  expect(run?.drift).toEqual({ missing: 0, surplus: 0, otherExpiry: 0 });
  expect(asked).toContain('bob');
  expect(await baseOf('bob')).toEqual({ state: 'granted', expiresAt: LATER });
});

test('a worker that is to end hands the run over, and the next one begins with the first page', async () => {
  listed = ['ann', 'bob', 'cid', 'dan', 'eve'].map((username) => ({ username, expiresAt: LATER }));
  const ending = new AbortController();
  onPage = (page, cursor) => {
    if (cursor === '?c=2') ending.abort();
    return page;
  };
  const first = await refresh('a.1', 'adopt', context(), ending.signal);
  expect(first.result).toEqual({ result: 'hand-over' });
  expect(first.run).toMatchObject({ state: 'running', pages: 2, members: 4 });
  expect(await baseOf('ann')).toBeUndefined();
  asked = [];
  expect((await refresh('a.1', 'adopt')).run).toMatchObject({ state: 'done', members: 5, drift: { surplus: 5 } });
  expect(asked).toEqual(['first', '?c=2', '?c=4']);
});

test('a crash while a list is adopted leaves its report as it is, and the next attempt ends the adoption', async () => {
  listed = ['ann', 'bob', 'cid'].map((username) => ({ username, expiresAt: LATER }));
  await ledger.refreshes.begin('a.1', 1, 'adopt');
  const dying = context({
    async absent(script, seen, since, adopt, bucket) {
      if (adopt) throw new Error('the process died');
      return ledger.refreshes.absent(script, seen, since, adopt, bucket);
    },
  });
  await expect(refreshScript(dying, 'a.1', never)).rejects.toThrow('the process died');
  expect(await ledger.refreshes.read('a.1')).toMatchObject({ state: 'running', compared: true, drift: { surplus: 3 } });
  expect(await refreshScript(context(), 'a.1', never)).toEqual({ result: 'later', delayMs: 5_000 });
  await redis.hset(await runKey('a.1'), 'heldUntil', 0);
  const { run } = await refresh('a.1', 'adopt');
  expect(run).toMatchObject({ state: 'done', drift: { missing: 0, surplus: 3, otherExpiry: 0 } });
  expect((await ledger.refreshes.drift('a.1', 'surplus', null, 10)).items).toHaveLength(3);
});

test('a worker whose run went to another one stops, and says nothing of it', async () => {
  listed = ['ann', 'bob', 'cid'].map((username) => ({ username, expiresAt: LATER }));
  await ledger.refreshes.begin('a.1', 1, 'report');
  const key = await runKey('a.1');
  let taken = false;
  const slow = context({
    async note(id, token, what) {
      if (!taken) {
        taken = true;
        await redis.hset(key, 'heldUntil', 0);
        await ledger.refreshes.take(id, 'another');
      }
      return ledger.refreshes.note(id, token, what);
    },
  });
  expect(await refreshScript(slow, 'a.1', never)).toEqual({ result: 'later', delayMs: 5_000 });
  expect(await ledger.refreshes.read('a.1')).toMatchObject({ state: 'running', compared: false });
  expect(events).toEqual([]);
});

test('a script has one run at a time; one that is over makes room, and one that nobody takes is found', async () => {
  const { refreshes } = ledger;
  expect(await refreshes.begin('a.1', 1, 'report')).toEqual({ status: 'begun', id: 'a.1' });
  expect(await refreshes.begin('a.1', 1, 'report')).toEqual({ status: 'known', id: 'a.1' });
  expect(await refreshes.begin('a.2', 1, 'adopt')).toEqual({ status: 'busy', id: 'a.1' });
  expect(await refreshes.begin('a.3', 2, 'adopt')).toEqual({ status: 'begun', id: 'a.3' });
  expect(await refreshes.stale(60_000)).toEqual([]);
  await redis.hset(await runKey('a.1'), 'heldUntil', 1);
  expect(await refreshes.stale(60_000)).toEqual(['a.1']);
  await refreshScript(context(), 'a.1', never);
  expect(await refreshes.stale(0)).not.toContain('a.1');
  expect(await refreshes.begin('a.2', 1, 'adopt')).toEqual({ status: 'begun', id: 'a.2' });
  expect(await redis.pttl(await runKey('a.1'))).toBeGreaterThan(DAY - 60_000);
});

test('an access with an operation under way is left alone, and counted as such', async () => {
  const part = { id: 'b', kind: 'batch', lane: 'bulk', turn: 'b', source: 'k' } as const;
  await ledger.submit(part, 0, [{ row: 1, script: 1, operation: roster('ann')[0] as Operation }]);
  listed = [{ username: 'ann', expiresAt: null }];
  const { run } = await refresh('a.1', 'adopt');
  expect(run).toMatchObject({ state: 'done', known: 0, skipped: 1, drift: { surplus: 0 } });
  expect(await baseOf('ann')).toEqual({ state: 'unknown' });
});

async function runKey(id: string): Promise<string> {
  return `${ledger.settledChannel.replace(/:settled$/, '')}:refresh-run:${id}`;
}
