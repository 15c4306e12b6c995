import { setTimeout as delay } from 'node:timers/promises';
import type { Account, Directory } from '@pinegate/ledger';

/** Has workers check the cookies of accounts. */
export interface SessionChecks {
  /**
   * Asks for a check of the newest cookies and waits for its result.
   * @returns the account as it is then, or after `waitMs`; null when it is gone.
   */
  check(account: string, waitMs: number): Promise<Account | null>;
}

const LOOK_MS = 100;

/** @param ask puts the check of an account's cookies on the queue of the workers. */
export function buildSessionChecks(
  accounts: Directory['accounts'],
  ask: (account: string) => Promise<void>,
): SessionChecks {
  return {
    async check(id, waitMs) {
      await ask(id);
      const deadline = performance.now() + waitMs;
      for (;;) {
        const account = await accounts.get(id);
        const known = account === null || account.session.state !== 'unknown';
        if (known || performance.now() >= deadline) return account;
        await delay(LOOK_MS);
      }
    },
  };
}
