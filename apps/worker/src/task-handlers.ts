import type { UsernameCache } from '@pinegate/ledger';
import type { TaskHandlers } from '@pinegate/queues';
import type { TradingView } from '@pinegate/tradingview';
import type { Accounts } from './follow-directory.ts';
import { lookUpUsername } from './look-up-username.ts';

const LOOK_UP_WAIT_MS = 10_000;
const REFRESHES_AT_ONCE = 10;
const BUSY_MS = 2_000;
const DONE = { result: 'done' } as const;

/** The handlers of the queues of all accounts. What they throw makes the task run again. */
export function buildTaskHandlers(parts: {
  readonly accounts: Pick<Accounts, 'get' | 'active' | 'follow'>;
  /** Checks the cookies of any account. */
  readonly checkAccount: (account: string) => Promise<unknown>;
  readonly usernames: UsernameCache;
  readonly upstream: TradingView;
}): TaskHandlers {
  const { accounts, checkAccount, usernames, upstream } = parts;
  let refreshing = 0;
  return {
    async 'check-session'({ account }) {
      await checkAccount(account);
      return DONE;
    },
    async refresh({ account, refresh }, signal) {
      await accounts.follow();
      const served = accounts.get(account);
      // Another process serves it, or this one is busy: session checks on the same queue must not wait for hours.
      if (!served || refreshing >= REFRESHES_AT_ONCE) return { result: 'later', delayMs: BUSY_MS };
      refreshing += 1;
      try {
        return await served.refresh(refresh, signal);
      } finally {
        refreshing -= 1;
      }
    },
    /** Any active account's look-up budget pays: spellings are the same for all. */
    async 'look-up'({ username }) {
      const all = accounts.active();
      const payer = all[Math.floor(Math.random() * all.length)];
      if (!payer) throw new Error('no account is active here: nobody can pay for a look-up');
      const { id: account, budget } = payer;
      await lookUpUsername({ cache: usernames, upstream, budget, account }, username, {
        bulk: false,
        maxWaitMs: LOOK_UP_WAIT_MS,
      });
      return DONE;
    },
  };
}
