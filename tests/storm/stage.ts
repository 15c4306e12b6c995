import { randomUUID } from 'node:crypto';

/** Who and what a storm is about: few accesses, so that everybody is after the same ones. */

export interface StormAccount {
  readonly id: string;
  readonly scripts: readonly string[];
  /** As the API takes them. */
  readonly budgets: object;
}

const pineId = (digit: string) => `PUB;${digit.repeat(32)}`;
const unlimited = { start: null };
const bounded = (start: number) => ({ start, adaptive: false });

export const ACCOUNTS: readonly StormAccount[] = [
  {
    id: 'amber',
    scripts: [pineId('a'), pineId('b')],
    budgets: { grant: unlimited, revoke: unlimited, list: unlimited, lookup: unlimited },
  },
  {
    id: 'cobalt',
    scripts: [pineId('c')],
    budgets: { grant: bounded(60), revoke: bounded(60), list: bounded(60), lookup: bounded(60) },
  },
];

export const SCRIPTS = ACCOUNTS.flatMap(({ scripts }) => scripts);

/** As registered upstream. */
export const CONTESTED = ['Kate', 'bOb', 'ann', 'ZOE', 'max', 'Ivy_9', 'leo', 'Mia', 'sam', 'Tom.T'];

/** Nobody upstream has these names. */
export const GHOSTS = ['ghost-1', 'ghost-2'];

export const FILLERS = Array.from({ length: 200 }, (_, i) => `Filler${i}`);

/** Times of the processes under test, ms. A1: a worker stands still for FREEZE_MS and a write lands LATE_MS later, together less than U. */
export const U_MS = 12_000;
export const LEASE_MS = 5_000;
export const DEADLINE_MS = 1_500;
export const FREEZE_MS = 7_000;
export const LATE_MS = 2_500;

export function freshCookies(account: string) {
  return { sessionid: `session-${account}-${randomUUID()}`, sessionidSign: `sign-${account}` };
}
