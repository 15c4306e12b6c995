import type { Account, Directory, EpochGuard, Ledger } from '@pinegate/ledger';
import type { Bells } from '@pinegate/queues';
import { inSlices } from '@pinegate/runtime';
import { sweepAccount } from './sweep-account.ts';
import type { WorkerEvents } from './worker-events.ts';

// Well below the 10 s by which a beat may go back.
const BEAT_MS = 5_000;
const FULL_PASS_MS = 10_000;
const READY_AT_ONCE = 100;
/** Accounts that are swept side by side: most of them have nothing, and their looks share a way to Redis. */
const SWEPT_AT_ONCE = 20;

/**
 * One tick of the leader: sweeps the accounts that are due, and every ten seconds all of them, which makes up for marks that were lost.
 * Accounts that are parked or paused are left alone: their work waits. Every five seconds the beat of all tags goes on.
 */
export function buildSweeper(parts: {
  readonly directory: Directory;
  readonly ledger: Ledger;
  readonly epoch: Pick<EpochGuard, 'beat'>;
  readonly bells: Bells;
  readonly events: WorkerEvents;
  readonly monotonic: () => number;
}): () => Promise<void> {
  const { directory, ledger, epoch, bells, events, monotonic } = parts;
  let lastPass = Number.NEGATIVE_INFINITY;
  let lastBeat = Number.NEGATIVE_INFINITY;

  async function sweep(account: Account, isMarked: boolean): Promise<void> {
    if (account.state !== 'active') return;
    // Away first: a mark that arrives while this sweeps then stands, whatever the sweep finds.
    if (isMarked) await directory.due.set(account.id, (await ledger.account(account.id).now()) + FULL_PASS_MS);
    const { moved, rung, nextDue } = await sweepAccount(ledger.account(account.id), bells, (ended) =>
      events.ended(account.id, ended),
    );
    if (nextDue !== null) await directory.due.mark(account.id, nextDue);
    events.swept(account.id, moved, rung);
  }

  return async function tick() {
    const accounts = await directory.accounts.list();
    if (monotonic() - lastBeat >= BEAT_MS) {
      lastBeat = monotonic();
      // A tag that waits for its operator keeps what was found.
      await epoch.beat(accounts.filter((a) => a.reason !== 'redis_restored').map((a) => a.id));
    }
    const full = monotonic() - lastPass >= FULL_PASS_MS;
    if (full) lastPass = monotonic();
    const [first] = accounts;
    if (!first) return;
    const now = await ledger.account(first.id).now();
    const ready = full ? null : new Set(await directory.due.ready(now, READY_AT_ONCE));
    const swept = accounts.filter(({ id }) => ready === null || ready.has(id));
    await inSlices(swept, SWEPT_AT_ONCE, (account) => sweep(account, ready !== null));
  };
}
