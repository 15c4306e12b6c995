import type { Account, Directory, DirectoryNews } from '@pinegate/ledger';
import { type Logger, startRounds } from '@pinegate/runtime';
import { type AccountSlot, createAccountSlot } from './account-slot.ts';
import { type ServedAccount, serveAccount, type WorkerParts } from './serve-account.ts';
import { serves } from './serving.ts';

/** A worker that is silent for 15 s counts no more. */
const BEAT_MS = 2_000;

/** The accounts that this process serves, kept as the directory has them. */
export interface Accounts {
  get(id: string): ServedAccount | undefined;
  /** Those served here that are active. */
  active(): readonly ServedAccount[];
  /** Looks now, and resolves when what was found is done. */
  follow(): Promise<void>;
  /** What the directory tells all processes. */
  hear(news: DirectoryNews): void;
  stop(deadline: AbortSignal): Promise<void>;
}

/** Follows the account directory: starts, updates and ends accounts at runtime, at once when told and every 2 s anyway. */
export function followDirectory(parts: WorkerParts, directory: Directory, log: Logger): Accounts {
  const slots = new Map<string, AccountSlot>();
  let known: readonly Account[] = [];
  let seen = '';
  let stopped = false;
  let done: Promise<unknown> = Promise.resolve();
  let again = false;
  let looking: Promise<void> | undefined;

  function slotOf(id: string): AccountSlot {
    let slot = slots.get(id);
    if (!slot) {
      const failed = (err: unknown) => log.warn({ account: id, err }, 'a change of the account could not be followed');
      slot = createAccountSlot((account) => serveAccount(parts, account), failed);
      slots.set(id, slot);
    }
    return slot;
  }

  function aim(workers: readonly string[]): Promise<unknown> {
    const wanted = new Map(
      known.filter(({ id }) => serves(parts.worker, id, workers, known.length)).map((account) => [account.id, account]),
    );
    const aimed = [...wanted.values()].map((account) => slotOf(account.id).aim(account));
    for (const [id, slot] of slots) {
      if (wanted.has(id)) continue;
      const gone = slot.aim(null).then(() => {
        if (slots.get(id) === slot && !slot.served && !slot.failed) slots.delete(id);
      });
      aimed.push(gone);
    }
    return Promise.all(aimed);
  }

  /** One small call while nothing changes. What it sets going is in `done`, for no look to wait for another. */
  async function look(): Promise<void> {
    const { workers, revision } = await directory.workers.beat(parts.worker);
    const now = [revision, ...[...workers].sort()].join('\n');
    if (now === seen && ![...slots.values()].some((slot) => slot.failed)) return;
    known = await directory.accounts.list();
    seen = now;
    if (!stopped) done = aim(workers);
  }

  async function lookWhileAsked(): Promise<void> {
    while (again && !stopped) {
      again = false;
      await look();
    }
  }

  /** Resolves after a look that began after this call. */
  function lookSoon(): Promise<void> {
    again = true;
    looking ??= lookWhileAsked().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  const unreadable = (err: unknown) => log.warn({ err }, 'the account directory could not be read');
  const rounds = startRounds(BEAT_MS, () => lookSoon().catch(unreadable));

  return {
    get: (id) => slots.get(id)?.served ?? undefined,
    active: () => [...slots.values()].flatMap(({ served }) => (served?.gate.open ? [served] : [])),
    async follow() {
      await lookSoon();
      await done;
    },
    hear(news) {
      switch (news.kind) {
        case 'changed':
        case 'workers':
          if (!stopped) lookSoon().catch(unreadable);
          return;
        case 'suspect':
          slots.get(news.account)?.served?.gate.suspect();
          return;
        case 'checked':
          slots.get(news.account)?.served?.gate.conclude(news.result);
      }
    },
    async stop(deadline) {
      stopped = true;
      void rounds.stop();
      // First of all, so that the others take over while this one still ends what it has; a Redis that is away must not hold it up.
      directory.workers.leave(parts.worker).catch(() => {});
      await Promise.all([...slots.values()].map((slot) => slot.stop(deadline)));
      slots.clear();
    },
  };
}
