import type { AccessState } from '@pinegate/access';
import type { Permits, RequestResult } from '@pinegate/budget';
import type { ClaimedWork, Contributor, SessionResult, Settlement } from '@pinegate/ledger';
import { TradingViewError, type TradingViewErrorCode } from '@pinegate/tradingview';
import { describe, expect, test } from 'vitest';
import type { AccountContext } from '../src/account-context.ts';
import type { ClaimTicket } from '../src/claim-ticket.ts';
import { sendWrite } from '../src/send-write.ts';

const NOW = Date.UTC(2026, 10, 24);
const DATE = Date.UTC(2031, 0, 1);
const LIFE: AccessState = { state: 'granted', expiresAt: null };
const DATED: AccessState = { state: 'granted', expiresAt: DATE };
const NONE: AccessState = { state: 'none' };
const UNKNOWN: AccessState = { state: 'unknown' };

type Answer = 'ok' | 'exists' | 'not_exists' | TradingViewErrorCode;

interface Given {
  readonly want: Contributor | null;
  readonly base?: AccessState;
  readonly sure?: boolean;
  readonly accepted?: boolean;
  readonly member?: boolean;
  /** Answers of the upstream, in turn. */
  readonly answers: readonly Answer[];
  /** undefined: the look-up fails. */
  readonly canonical?: string | null;
  readonly modifyMakesLifetime?: boolean;
  readonly permits?: number;
  /** Lease left at each look at the clock, beyond the deadline of a request. */
  readonly late?: boolean;
  /** The first request was let go ahead of its slot: whether it gets one, and how long that takes. */
  readonly slot?: { readonly got: boolean; readonly afterMs?: number };
  readonly session?: boolean;
  readonly verify?: boolean;
  /** An answer is a page where JSON was due; what the check of the session comes to. */
  readonly page?: SessionResult;
}

interface Seen {
  readonly calls: string[];
  readonly results: RequestResult[];
  readonly suspected: number;
  readonly held: number;
  readonly settlement: Settlement;
}

const set = (expiresAt: number | null): Contributor => ({ kind: 'set', expiresAt, version: 1, part: 1 });
const revoke: Contributor = { kind: 'revoke', version: 1, part: 1 };

async function send(given: Given): Promise<Seen> {
  const calls: string[] = [];
  const results: RequestResult[] = [];
  const answers = [...given.answers];
  let suspected = 0;
  let held = 0;
  let permitsLeft = given.permits ?? 10;
  let now = given.late ? 15_000 : 0;
  const slot = async () => {
    now += given.slot?.afterMs ?? 0;
    return given.slot?.got ?? false;
  };
  const answer = (call: string, username: string): Promise<never> => {
    calls.push(`${call} ${username}`);
    const next = answers.shift();
    if (next === undefined) throw new Error(`one call more than expected: ${call}`);
    if (/^[a-z]/.test(next)) return Promise.resolve(next) as Promise<never>;
    const code = next as TradingViewErrorCode;
    return Promise.reject(
      new TradingViewError(call as 'add', code, {
        reason: 'status',
        sent: true,
        suspectSession: given.page !== undefined,
      }),
    );
  };
  const permit = (ready: Promise<boolean> | null = null): Permits => {
    held += 1;
    const drop = () => {
      held -= 1;
    };
    return {
      count: 1,
      start: () => ({
        ready,
        finish(result) {
          results.push(result);
          drop();
        },
      }),
      release: drop,
    };
  };
  const ctx = {
    account: 'a',
    budget: { acquire: async () => (permitsLeft-- > 0 ? permit() : null), isBreakerOpen: () => false },
    upstream: {
      add: (_s: unknown, g: { username: string; expiresAt: number | null }) =>
        answer(g.expiresAt ? 'add' : 'add-life', g.username),
      modify: (_s: unknown, g: { username: string }) => answer('modify', g.username),
      remove: (_s: unknown, g: { username: string }) => answer('remove', g.username),
    },
    session: () => (given.session === false ? null : { sessionid: 's' }),
    suspectSession: async () => {
      suspected += 1;
      return given.page ?? 'dead';
    },
    async lookUp() {
      if (given.canonical === undefined) throw new Error('no answer');
      return given.canonical;
    },
    limits: { leaseMs: 20_000, requestDeadlineMs: 6_000, modifyMakesLifetime: given.modifyMakesLifetime ?? true },
    verifiesWrites: () => given.verify ?? false,
    monotonic: () => now,
  } as unknown as AccountContext;
  const ticket: ClaimTicket = {
    script: 0,
    pineId: 'PUB;1',
    name: 'joe',
    token: 't',
    bulk: false,
    sentAt: 0,
    answeredAt: 0,
  };
  const work: ClaimedWork = {
    claimedAt: NOW,
    version: 1,
    armedVersion: 1,
    base: given.base ?? UNKNOWN,
    sure: given.sure ?? false,
    spelling: 'joe',
    spellingAccepted: given.accepted ?? false,
    chain: given.want ? [given.want] : [],
    tries: 0,
    validate: false,
    ...(given.member === undefined ? {} : { member: given.member }),
  };
  const settlement = await sendWrite(ctx, ticket, work, permit(given.slot ? slot() : null), NOW);
  return { calls, results, suspected, held, settlement };
}

describe('sending a write', () => {
  const rows: readonly [string, Given, readonly string[], Partial<Settlement>][] = [
    [
      'adds who may not be a member',
      { want: set(DATE), answers: ['ok'] },
      ['add joe'],
      { result: 'applied', outcome: 'granted', target: DATED, spelling: 'joe' },
    ],
    [
      'has a write that was applied read again where every write is verified',
      { want: set(DATE), answers: ['ok'], verify: true },
      ['add joe'],
      { result: 'applied', outcome: 'granted', verify: true },
    ],
    [
      'has nothing read again where nothing was sent',
      { want: set(DATE), base: DATED, sure: true, answers: [], verify: true },
      [],
      { result: 'applied', outcome: 'unchanged', target: DATED, sent: false },
    ],
    [
      'modifies who exists already',
      { want: set(DATE), answers: ['exists', 'ok'] },
      ['add joe', 'modify joe'],
      { result: 'applied', outcome: 'changed' },
    ],
    [
      'modifies a sure member at once',
      { want: set(null), base: DATED, sure: true, answers: ['ok'] },
      ['modify joe'],
      { outcome: 'changed', target: LIFE },
    ],
    [
      'adds first where a date has passed, which says nothing of membership',
      { want: set(DATE), base: { state: 'granted', expiresAt: NOW - 1 }, sure: true, answers: ['ok'] },
      ['add joe'],
      { outcome: 'granted' },
    ],
    [
      'adds where a modify finds no member',
      { want: set(DATE), base: LIFE, sure: true, answers: ['USER_NOT_FOUND', 'ok'] },
      ['modify joe', 'add joe'],
      { outcome: 'granted' },
    ],
    [
      'spends no call on what is surely so',
      { want: set(DATE), base: DATED, sure: true, answers: [] },
      [],
      { outcome: 'unchanged', sent: false },
    ],
    ['removes', { want: revoke, answers: ['ok'] }, ['remove joe'], { outcome: 'revoked', target: NONE }],
    [
      'removes where the date passed while it waited',
      { want: set(NOW - 1), answers: ['ok'] },
      ['remove joe'],
      { outcome: 'revoked', target: NONE },
    ],
    [
      'looks a spelling up once and adds under the canonical one',
      { want: set(DATE), canonical: 'Joe', answers: ['USER_NOT_FOUND', 'ok'] },
      ['add joe', 'add Joe'],
      { outcome: 'granted', spelling: 'Joe' },
    ],
    [
      'rejects a user who does not exist',
      { want: set(DATE), canonical: null, answers: ['USER_NOT_FOUND'] },
      ['add joe'],
      { result: 'rejected', code: 'USER_NOT_FOUND' },
    ],
    [
      'rejects after the one look-up',
      { want: set(DATE), canonical: 'Joe', answers: ['USER_NOT_FOUND', 'USER_NOT_FOUND'] },
      ['add joe', 'add Joe'],
      { result: 'rejected' },
    ],
    [
      'leaves it where a look-up fails, which says nothing',
      { want: set(DATE), answers: ['USER_NOT_FOUND'] },
      ['add joe'],
      { result: 'unapplied', code: 'LOOK_UP_FAILED' },
    ],
    [
      'believes an absence under an accepted spelling',
      { want: revoke, accepted: true, answers: ['not_exists'] },
      ['remove joe'],
      { outcome: 'unchanged' },
    ],
    [
      'removes again under the canonical spelling',
      { want: revoke, canonical: 'Joe', answers: ['USER_NOT_FOUND', 'ok'] },
      ['remove joe', 'remove Joe'],
      { outcome: 'revoked', spelling: 'Joe' },
    ],
    [
      'believes an absence once the spelling proves right',
      { want: revoke, canonical: 'joe', answers: ['not_exists'] },
      ['remove joe'],
      { outcome: 'unchanged' },
    ],
    [
      'rejects the removal of a user who does not exist',
      { want: revoke, canonical: null, answers: ['not_exists'] },
      ['remove joe'],
      { result: 'rejected', code: 'USER_NOT_FOUND' },
    ],
    [
      'rejects a script that is not ours',
      { want: set(DATE), answers: ['SCRIPT_REFUSED'] },
      ['add joe'],
      { result: 'rejected', code: 'SCRIPT_REFUSED' },
    ],
    [
      'spends nothing on 429',
      { want: set(DATE), answers: ['RATE_LIMITED'] },
      ['add joe'],
      { result: 'unapplied', code: 'RATE_LIMITED' },
    ],
    [
      'spends nothing on a dead session',
      { want: set(DATE), answers: ['SESSION_EXPIRED'] },
      ['add joe'],
      { result: 'unapplied', code: 'SESSION_EXPIRED' },
    ],
    [
      'spends a try on what may have been applied',
      { want: set(DATE), answers: ['UNCERTAIN'] },
      ['add joe'],
      { result: 'uncertain', spend: true, sent: true },
    ],
    [
      'removes and adds where modify makes no lifetime',
      { want: set(null), base: DATED, sure: true, modifyMakesLifetime: false, answers: ['ok', 'ok'] },
      ['remove joe', 'add-life joe'],
      { outcome: 'changed', target: LIFE },
    ],
    [
      'calls it unclear when the add after a remove was refused',
      { want: set(null), base: DATED, sure: true, modifyMakesLifetime: false, answers: ['ok', 'RATE_LIMITED'] },
      ['remove joe', 'add-life joe'],
      { result: 'uncertain', spend: false },
    ],
    [
      'sends nothing when the lease leaves no time for it',
      { want: set(DATE), late: true, answers: [] },
      [],
      { result: 'unapplied', code: 'NO_PERMIT', sent: false },
    ],
    [
      'waits for the slot of a request that was let go ahead',
      { want: set(DATE), slot: { got: true, afterMs: 14_000 }, answers: ['ok'] },
      ['add joe'],
      { result: 'applied', outcome: 'granted' },
    ],
    [
      'sends nothing when the slot comes too late for the lease',
      { want: set(DATE), slot: { got: true, afterMs: 14_001 }, answers: [] },
      [],
      { result: 'unapplied', code: 'NO_PERMIT', sent: false },
    ],
    [
      'sends nothing when no slot comes, as in a pause',
      { want: set(DATE), slot: { got: false }, answers: [] },
      [],
      { result: 'unapplied', code: 'NO_PERMIT', sent: false },
    ],
    [
      'sends nothing without cookies',
      { want: set(DATE), session: false, answers: [] },
      [],
      { result: 'unapplied', code: 'NO_SESSION' },
    ],
    [
      'lets go when no permit for a follow-up comes',
      { want: set(DATE), permits: 0, answers: ['exists'] },
      ['add joe'],
      { result: 'unapplied', code: 'NO_PERMIT' },
    ],
    [
      'writes the base again after a verification',
      { want: null, base: DATED, member: true, answers: ['ok'] },
      ['modify joe'],
      { outcome: 'changed', target: DATED },
    ],
  ];

  test.each(rows)('%s', async (_name, given, calls, expected) => {
    const seen = await send(given);
    expect(seen.calls).toEqual(calls);
    expect(seen.settlement).toMatchObject({ carried: 1, token: 't', name: 'joe', ...expected });
    expect(seen.held).toBe(0);
  });

  test.each([
    ['alive', 'ok', true],
    ['dead', 'dead', false],
    ['not answered', 'unclear', false],
  ] as const)('spends a try on a page only if the session is %s', async (_name, page, spend) => {
    const { settlement, suspected } = await send({ want: revoke, answers: ['UNCERTAIN'], page });
    expect(settlement).toMatchObject({ result: 'uncertain', sent: true, spend });
    expect(suspected).toBe(1);
  });

  test('has a dead session looked into, and tells the budget what a 429 is', async () => {
    expect((await send({ want: revoke, answers: ['SESSION_EXPIRED'] })).suspected).toBe(1);
    expect((await send({ want: revoke, answers: ['RATE_LIMITED'] })).results).toEqual(['limited']);
  });
});
