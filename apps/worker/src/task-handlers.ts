import type { UsernameCache } from '@pinegate/ledger';
import type { TaskHandlers } from '@pinegate/queues';
import type { TradingView } from '@pinegate/tradingview';
import type { Accounts } from './follow-directory.ts';
import { lookUpUsername } from './look-up-username.ts';

const LOOK_UP_WAIT_MS = 10_000;

/** The handlers of the queues of all accounts. What they throw makes the task run again. */
export function buildTaskHandlers(parts: {
  readonly accounts: Accounts;
  readonly usernames: UsernameCache;
  readonly upstream: TradingView;
}): TaskHandlers {
  const { accounts, usernames, upstream } = parts;
  return {
    async 'check-session'({ account }) {
      await accounts.follow();
      await accounts.get(account)?.checkSession();
      await accounts.follow();
    },
    /** Any active account's look-up budget pays: spellings are the same for all. */
    async 'look-up'({ username }) {
      const all = accounts.all().filter((account) => account.isActive());
      const payer = all[Math.floor(Math.random() * all.length)];
      if (!payer) throw new Error('no account is active here: nobody can pay for a look-up');
      const { id: account, budget } = payer;
      await lookUpUsername({ cache: usernames, upstream, budget, account }, username, {
        bulk: false,
        maxWaitMs: LOOK_UP_WAIT_MS,
      });
    },
  };
}
