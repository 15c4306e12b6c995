import type { AccountLedger, LedgerSummary } from '@pinegate/ledger';
import type { Bells } from '@pinegate/queues';
import { expect, test } from 'vitest';
import { sweepAccount } from '../src/sweep-account.ts';

const none = { grant: 0, revoke: 0, 'grant-bulk': 0, 'revoke-bulk': 0 };
const IDLE = { pending: none, waitingChunks: none, openChunks: 0, cancelsUnderWay: 0, nextDue: null };

/** Sweeps an account in this state; answers the calls that the ledger and the lanes got. */
async function sweep(state: Partial<LedgerSummary>): Promise<string[]> {
  const calls: string[] = [];
  const told = <T>(name: string, answer: T) => {
    calls.push(name);
    return Promise.resolve(answer);
  };
  const ledger = {
    account: 'a',
    summary: () => told('summary', { ...IDLE, ...state }),
    cancelSome: () => told('cancelSome', { left: 0, ended: [] }),
    sweepDue: () => told('sweepDue', { moved: 0, nextDue: state.nextDue ?? null }),
    takenChunks: () => told('takenChunks', []),
  };
  const bells = { counts: () => told('counts', { waiting: 1 }), ring: () => told('ring', undefined) };
  await sweepAccount(ledger as unknown as AccountLedger, bells as unknown as Bells);
  return calls;
}

test('an idle account costs one call', async () => {
  expect(await sweep({})).toEqual(['summary']);
});

test.each<[string, Partial<LedgerSummary>]>([
  ['operations that are pending', { pending: { ...none, revoke: 1 } }],
  ['chunks that wait or are taken', { openChunks: 2 }],
  ['a cancel under way', { cancelsUnderWay: 1 }],
  ['a key that is due', { nextDue: 1 }],
])('an account with %s is swept whole', async (_what, state) => {
  expect(await sweep(state)).toEqual(expect.arrayContaining(['cancelSome', 'sweepDue', 'takenChunks']));
});

test('a lane with fewer bells than chunks is rung', async () => {
  expect(await sweep({ openChunks: 2, waitingChunks: { ...none, grant: 2 } })).toContain('ring');
});
