import { onceATurn, type Redis } from '@pinegate/runtime';
import { type BudgetClock, systemClock } from './budget-clock.ts';
import { accountKeys, createBudgetScripts, type PermitClass } from './budget-scripts.ts';
import { BUDGET_NAMES, type BudgetName, type BudgetSettings, payer } from './budget-settings.ts';
import { createOutcomeLog, type RequestResult } from './outcomes.ts';
import { createPermitLoop } from './permit-loop.ts';
import type { StockedPermit } from './permit-stock.ts';
import { createRateLearner } from './rate-learner.ts';

/** One request that has a permit, and a slot or the next one that falls free. */
export type PermittedRequest = {
  /**
   * null: it has its slot, and may be sent. Else, where it was let go ahead: true when it may, false when it may not any more, because of a
   * pause, the breaker or the end.
   */
  readonly ready: Promise<boolean> | null;
  /** Once; `retryAfterMs` with `limited`. */
  finish(result: RequestResult, detail?: { readonly retryAfterMs?: number | null }): void;
};

/** Permits in hand, to be used now: each is started once, the rest released. */
export type Permits = {
  readonly count: number;
  start(): PermittedRequest;
  release(): void;
};

/** What this process knows of the account's budget. */
export type BudgetSnapshot = {
  /** Requests a second; null = unlimited. */
  readonly rates: Readonly<Record<BudgetName, number | null>>;
  /** Requests of this process that have a permit and are not finished. */
  readonly inFlight: number;
  /** Until when nobody sends, ms since 1970; null = they may. */
  readonly pausedUntil: number | null;
  readonly breaker: 'closed' | 'open';
};

/** The upstream budget of one account in one process; its state is shared by all through Redis. */
export type Budget = {
  /**
   * At least one permit and at most `n`, as many as may be used now; null when aborted, closed, or not within
   * `maxWaitMs`. Never rejects: while Redis is away, nobody gets any.
   */
  acquire(
    budget: BudgetName,
    n: number,
    options: {
      readonly bulk: boolean;
      /** Takes some permits ahead of their slots too, while requests before them are still in flight: false. */
      readonly ahead?: boolean;
      readonly signal?: AbortSignal;
      readonly maxWaitMs?: number;
    },
  ): Promise<Permits | null>;
  /** Requests a second that may be sent on this budget now; null = unlimited. */
  rate(budget: BudgetName): number | null;
  /** As last seen. While it is open a failure says nothing about its request: no attempt is spent. */
  isBreakerOpen(): boolean;
  snapshot(): BudgetSnapshot;
  configure(settings: BudgetSettings): void;
  /** Lets go whoever waits and gives back what is not in use. What is in use is reported as it ends. Idempotent. */
  close(): Promise<void>;
};

export type BudgetOptions = {
  /** The caller's to close. */
  readonly redis: Redis;
  readonly ns: string;
  readonly account: string;
  /** Unique among the processes of the account. */
  readonly worker: string;
  readonly settings: BudgetSettings;
  /** Requests that this process can have in flight at once, over all accounts: it asks for no more slots than that. No limit. */
  readonly most?: number;
  readonly clock?: BudgetClock;
  /** Told of calls to Redis that failed; they are tried again after a second. */
  readonly onError?: (error: unknown) => void;
  /** Texts in place of `.lua` files, by name: tests replace `clock`. */
  readonly replace?: Readonly<Record<string, string>>;
};

const CLOSE_MS = 1000;

/** Opens the budget of an account. No I/O before the first `acquire`, and no timer while nobody waits or sends. */
export function createBudget(options: BudgetOptions): Budget {
  const { redis, ns, account, worker, most = Number.POSITIVE_INFINITY, clock = systemClock } = options;
  const { onError = () => {} } = options;
  let settings = options.settings;
  let closed = false;
  const waiting = new Set<() => void>();
  const log = createOutcomeLog();
  const scripts = createBudgetScripts(redis, accountKeys(ns, account), options.replace);
  const learner = createRateLearner(scripts);
  const loop = createPermitLoop({ worker, scripts, learner, log, clock, settings: () => settings, most, onError });
  const { state } = loop;
  // What ends in one turn of the event loop is handed out again together: each permit alone would make a claim of its own.
  const wakeSoon = onceATurn(() => loop.wake());

  function rate(wanted: BudgetName): number | null {
    const budget = payer(wanted, settings);
    const { start } = settings.budgets[budget];
    return start === null ? null : (state.rates.get(budget) ?? start);
  }

  function hand(
    budget: BudgetName,
    permitClass: PermitClass,
    permits: readonly StockedPermit[],
    ahead: boolean,
  ): Permits {
    const slots = state.held[permitClass];
    const left = permits.map((permit) => {
      // A probe goes though all slots are taken: those who have them may hang.
      const isLate = ahead && !permit.probe && state.free(permitClass) <= 0;
      const slot = isLate ? slots.takeLater(budget) : slots.take();
      return { permit, slot };
    });
    return {
      count: permits.length,
      start() {
        const next = left.shift();
        if (!next) throw new RangeError('more requests started than permits held');
        const { permit, slot } = next;
        let sentAt = loop.now();
        let finished = false;
        const ready = slot.ready?.then((got) => {
          sentAt = loop.now();
          return got;
        });
        return {
          ready: ready ?? null,
          finish(result, detail) {
            if (finished) return;
            finished = true;
            const retryAfterMs = result === 'limited' ? Math.max(0, detail?.retryAfterMs ?? 0) : 0;
            // Whoever waits here need not hear of it from Redis.
            if (retryAfterMs > 0) state.accountPause = Math.max(state.accountPause, loop.now() + retryAfterMs);
            slot.leave();
            if (result !== 'unsent') state.took(loop.now() - sentAt);
            loop.fill();
            log.add(budget, permit, result, sentAt, retryAfterMs);
            wakeSoon();
          },
        };
      },
      release() {
        if (left.length === 0) return;
        for (const { slot } of left) slot.leave();
        const unused = left.splice(0).map(({ permit }) => permit);
        log.giveBack(budget, unused);
        wakeSoon();
      },
    };
  }

  return {
    acquire(wanted, n, { bulk, ahead = false, signal, maxWaitMs }) {
      if (closed || signal?.aborted || n < 1) return Promise.resolve(null);
      const budget = payer(wanted, settings);
      const permitClass = bulk ? 'bulk' : 'singles';
      const line = state.line(budget, permitClass);
      return new Promise((resolve) => {
        const end = (permits: Permits | null) => {
          waiting.delete(giveUp);
          signal?.removeEventListener('abort', giveUp);
          cancelTimer?.();
          resolve(permits);
        };
        const give = (permits: readonly StockedPermit[]) => end(hand(budget, permitClass, permits, ahead));
        const waiter = { n, ahead, give };
        const giveUp = () => {
          const at = line.waiters.indexOf(waiter);
          if (at < 0) return;
          line.waiters.splice(at, 1);
          end(null);
          loop.wake();
        };
        const cancelTimer = maxWaitMs === undefined ? undefined : clock.after(maxWaitMs, giveUp);
        signal?.addEventListener('abort', giveUp, { once: true });
        waiting.add(giveUp);
        line.waiters.push(waiter);
        loop.wake();
      });
    },
    isBreakerOpen: () => state.breaker !== 'closed',
    rate,
    snapshot() {
      const rates = Object.fromEntries(BUDGET_NAMES.map((b) => [b, rate(b)])) as Record<BudgetName, number | null>;
      return {
        rates,
        inFlight: state.held.singles.inUse + state.held.bulk.inUse,
        pausedUntil: state.accountPause > loop.now() ? state.accountPause : null,
        breaker: state.breaker === 'closed' ? 'closed' : 'open',
      };
    },
    configure(next) {
      settings = next;
      for (const budget of BUDGET_NAMES) {
        for (const c of ['singles', 'bulk'] as const) state.line(budget, c).askAt = 0;
      }
      loop.wake();
    },
    async close() {
      closed = true;
      for (const giveUp of [...waiting]) giveUp();
      let stop: (() => void) | undefined;
      const tooLate = new Promise<void>((resolve) => {
        stop = clock.after(CLOSE_MS, resolve);
      });
      await Promise.race([loop.drain(), tooLate]);
      stop?.();
    },
  };
}
