import type { Account } from '@pinegate/ledger';
import type { WorkerEvents } from './worker-events.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
const PASS_MS = 10_000;
/** How old an answer about a session gets before it is asked for again. */
const CHECK_EVERY_MS = 15 * MINUTE_MS;
/** Cookies that nobody has checked: their check was lost, or had no answer. */
const RETRY_UNCHECKED_MS = 30_000;
/** A check that was asked for may still wait in the queue. */
const ASK_AGAIN_MS = 2 * MINUTE_MS;
/** TradingView does not say how long its cookies last; operators report weeks. */
const OLD_MS = 20 * DAY_MS;

export interface SessionPatrolParts {
  accounts(): Promise<readonly Account[]>;
  /** Redis TIME, ms. */
  now(): Promise<number>;
  /** Has a worker check the cookies of an account. */
  ask(account: string): Promise<void>;
  readonly events: Pick<WorkerEvents, 'sessionOld'>;
  /** Local monotonic clock, ms. */
  readonly monotonic: () => number;
}

/**
 * What the leader does about sessions before they fail: every ten seconds it has a few of those checked that have not been for a quarter of an
 * hour, spread over the accounts, and once a day it warns of old cookies. A parked account is asked about too, so that one that was
 * parked wrongly goes on by itself; a paused one is left alone.
 */
export function buildSessionPatrol(parts: SessionPatrolParts): () => Promise<void> {
  const { events, monotonic } = parts;
  const askedAt = new Map<string, number>();
  const warnedAt = new Map<string, number>();
  let lastPass = Number.NEGATIVE_INFINITY;

  const longAgo = (times: Map<string, number>, id: string, ms: number) =>
    monotonic() - (times.get(id) ?? Number.NEGATIVE_INFINITY) >= ms;

  function forget(accounts: readonly Account[]): void {
    const ids = new Set(accounts.map(({ id }) => id));
    for (const times of [askedAt, warnedAt]) for (const id of times.keys()) if (!ids.has(id)) times.delete(id);
  }

  return async function patrol() {
    if (monotonic() - lastPass < PASS_MS) return;
    lastPass = monotonic();
    const accounts = await parts.accounts();
    if (accounts.length === 0) return;
    forget(accounts);
    const now = await parts.now();
    for (const { id, session } of accounts) {
      const ageMs = session.postedAt === null ? 0 : now - session.postedAt;
      if (ageMs < OLD_MS || !longAgo(warnedAt, id, DAY_MS)) continue;
      warnedAt.set(id, monotonic());
      events.sessionOld(id, ageMs);
    }
    const due = accounts
      .filter((account) => dueAt(account) <= now && longAgo(askedAt, account.id, ASK_AGAIN_MS))
      .sort((a, b) => dueAt(a) - dueAt(b));
    // So many that all get their turn, and no more, so that they stay spread.
    const most = 1 + Math.ceil(accounts.length / (CHECK_EVERY_MS / PASS_MS));
    for (const { id } of due.slice(0, most)) {
      askedAt.set(id, monotonic());
      await parts.ask(id);
    }
  };
}

/** Redis time from which the account's session is to be checked, ms. */
function dueAt({ state, session }: Account): number {
  if (session.postedAt === null || state === 'paused') return Number.POSITIVE_INFINITY;
  if (session.checkedAt === null) return session.postedAt + RETRY_UNCHECKED_MS;
  return session.checkedAt + CHECK_EVERY_MS;
}
