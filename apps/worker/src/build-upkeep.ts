import type { BatchRecord, Directory, Ledger } from '@pinegate/ledger';
import type { Tasks } from '@pinegate/queues';
import { inSlices } from '@pinegate/runtime';

const EVERY_MS = 30_000;
const BATCHES_AT_ONCE = 200;
const ACCOUNTS_AT_ONCE = 50;
const LOST_MS = 60_000;

/**
 * One tick of the leader for what nobody else looks after: refreshes whose task was lost go on the queue again, and batches that have
 * settled, or whose upload was cut and never resumed, begin their retention though nobody reads them. Bounded: a page of batches a time.
 */
export function buildUpkeep(parts: {
  readonly directory: Pick<Directory, 'accounts' | 'batches'>;
  readonly ledger: Ledger;
  readonly tasks: Pick<Tasks, 'put'>;
  readonly monotonic: () => number;
}): () => Promise<void> {
  const { directory, ledger, tasks, monotonic } = parts;
  let last = Number.NEGATIVE_INFINITY;
  let cursor: string | null = null;

  async function ringLostRefreshes(): Promise<void> {
    const accounts = await directory.accounts.list();
    const lost = (await inSlices(accounts, ACCOUNTS_AT_ONCE, ({ id }) => lostRefreshes(id))).flat();
    if (lost.length > 0) await tasks.put('refresh', lost);
  }

  async function lostRefreshes(account: string) {
    const lost = await ledger.account(account).refreshes.stale(LOST_MS);
    return lost.map((refresh) => ({ account, refresh }));
  }

  async function isSettled({ id, upload, cancelled, accounts }: BatchRecord): Promise<boolean> {
    if (upload === 'receiving' && !cancelled) return false;
    for (const account of accounts) {
      const [part] = await ledger.account(account).readParts([id]);
      if (part && part.pending > 0) return false;
    }
    return true;
  }

  async function retainBatches(): Promise<void> {
    const page = await directory.batches.list(cursor, BATCHES_AT_ONCE);
    cursor = page.next;
    for (const record of page.items) {
      if (await isSettled(record)) await directory.batches.expire(record.id);
    }
  }

  return async function tick() {
    if (monotonic() - last < EVERY_MS) return;
    last = monotonic();
    await ringLostRefreshes();
    await retainBatches();
  };
}
