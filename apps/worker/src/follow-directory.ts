import type { Directory } from '@pinegate/ledger';
import type { Logger } from '@pinegate/runtime';
import { type ServedAccount, serveAccount, type WorkerParts } from './serve-account.ts';

const FOLLOW_MS = 5_000;

/** The accounts that this process serves, kept as the directory has them. */
export interface Accounts {
  get(id: string): ServedAccount | undefined;
  all(): readonly ServedAccount[];
  /** Looks now, and resolves when what was found is done. */
  follow(): Promise<void>;
  stop(deadline: AbortSignal): Promise<void>;
}

/** Follows the account directory: starts, updates and ends accounts at runtime. */
export function followDirectory(parts: WorkerParts, directory: Directory, log: Logger): Accounts {
  const served = new Map<string, ServedAccount>();
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let following: Promise<void> | undefined;

  async function look(): Promise<void> {
    const accounts = await directory.accounts.list();
    const ids = new Set(accounts.map((a) => a.id));
    for (const account of accounts) {
      if (stopped) return;
      const known = served.get(account.id);
      if (known) await known.update(account);
      else served.set(account.id, await serveAccount(parts, account));
    }
    for (const [id, gone] of served) {
      if (ids.has(id)) continue;
      served.delete(id);
      await gone.stop(AbortSignal.abort());
    }
  }

  function follow(): Promise<void> {
    following ??= look().finally(() => {
      following = undefined;
    });
    return following;
  }

  function schedule(): void {
    if (stopped) return;
    timer = setTimeout(() => {
      follow()
        .catch((err: unknown) => log.warn({ err }, 'the account directory could not be read'))
        .finally(schedule);
    }, FOLLOW_MS);
  }
  schedule();

  return {
    get: (id) => served.get(id),
    all: () => [...served.values()],
    follow,
    async stop(deadline) {
      stopped = true;
      clearTimeout(timer);
      await following?.catch(() => {});
      await Promise.all([...served.values()].map((account) => account.stop(deadline)));
      served.clear();
    },
  };
}
