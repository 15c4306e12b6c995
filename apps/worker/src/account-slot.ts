import type { Account } from '@pinegate/ledger';
import type { ServedAccount } from './serve-account.ts';

/** Keeps one account as it is wanted here: changes come one after another, and only the newest counts. */
export interface AccountSlot {
  /** null while it is not served. */
  readonly served: ServedAccount | null;
  /** What failed is to be tried again. */
  readonly failed: boolean;
  /** Serves the account as it is now, or no more (null). Resolves when that is so; never rejects. */
  aim(account: Account | null): Promise<void>;
  /** Nothing is served after this. */
  stop(deadline: AbortSignal): Promise<void>;
}

/** @param onFailed told when a change could not be followed, once until one could. */
export function createAccountSlot(
  serve: (account: Account) => ServedAccount,
  onFailed: (error: unknown) => void,
): AccountSlot {
  let served: ServedAccount | null = null;
  let target: Account | null = null;
  let stopped = false;
  let failed = false;
  let behind = false;
  let running: Promise<void> | undefined;

  async function step(): Promise<void> {
    if (target) {
      served ??= serve(target);
      await served.update(target);
    } else if (served) {
      const gone = served;
      served = null;
      await gone.stop(AbortSignal.abort());
    }
  }

  async function run(): Promise<void> {
    while (behind && !stopped) {
      behind = false;
      try {
        await step();
        failed = false;
      } catch (error) {
        if (!failed) onFailed(error);
        failed = true;
      }
    }
  }

  return {
    get served() {
      return served;
    },
    get failed() {
      return failed;
    },
    aim(account) {
      target = account;
      behind = true;
      running ??= run().finally(() => {
        running = undefined;
      });
      return running;
    },
    async stop(deadline) {
      stopped = true;
      // Not after what runs: a pause waits for requests under way, and so does stopping.
      await Promise.all([running, served?.stop(deadline)]);
    },
  };
}
