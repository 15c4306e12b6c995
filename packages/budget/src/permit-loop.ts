import type { BudgetClock } from './budget-clock.ts';
import { type BudgetScripts, CLASSES, type TakeReply, type TakeRequest, type Want } from './budget-scripts.ts';
import { BUDGET_NAMES, type BudgetName, type BudgetSettings } from './budget-settings.ts';
import { UNLIMITED } from './controller/state.ts';
import { createLoopState, type LoopState, nobody, slotsRequest } from './loop-state.ts';
import { keepMs, LEASE_MS, serveAt, syncAt } from './loop-times.ts';
import type { OutcomeLog, Outcomes } from './outcomes.ts';
import type { RateLearner } from './rate-learner.ts';

export type PermitLoop = {
  readonly state: LoopState;
  /** Redis time now, ms, as far as it is known here. */
  now(): number;
  /** Gives slots that fell free to requests that were let go ahead, which come first. */
  fill(): void;
  /** Something changed: serves who can be served, and plans when to call Redis next. */
  wake(): void;
  /** Reports what is left and gives the slots back; from now on a failed call is not made again. */
  drain(): Promise<void>;
};

export type PermitLoopParts = {
  readonly worker: string;
  readonly scripts: BudgetScripts;
  readonly learner: RateLearner;
  readonly log: OutcomeLog;
  readonly clock: BudgetClock;
  readonly settings: () => BudgetSettings;
  /** Slots of a class that this process can use. */
  readonly most: number;
  readonly onError: (error: unknown) => void;
};

/** Permits due within this time go out together, so that a claim is not made for each of them. */
const BLOCK_MS = 10;
const RETRY_MS = 1000;
/** A pause longer than what is handed out ahead takes the stock back. */
const LONG_PAUSE_MS = 250;
/** Replies carry three decimals. */
const ROUNDING = 1.001;

/** One loop per process and account: one call to Redis at a time, for all who wait, and one timer. */
export function createPermitLoop(parts: PermitLoopParts): PermitLoop {
  const { scripts, learner, log, clock, settings, onError } = parts;
  const state = createLoopState(settings, parts.most);
  let pendingAt: number | null = null;
  let retryAt = 0;
  let running: Promise<void> | null = null;
  let scheduled = false;
  let closing = false;
  let cancelTimer: (() => void) | null = null;

  const redisNow = () => clock.now() + state.offset;

  const isPaused = (budget: BudgetName) => redisNow() < state.pausedUntil(budget);

  function fill(): void {
    for (const c of CLASSES) {
      const held = state.held[c];
      if (held.late === 0) continue;
      held.refuse((budget) => state.breaker !== 'closed' || isPaused(budget));
      held.fill(state.free(c));
    }
  }

  function serve(): void {
    const now = clock.now();
    fill();
    for (const line of state.lines) {
      if (line.waiters.length === 0 || isPaused(line.budget)) continue;
      const free = state.free(line.class);
      const slots = state.breaker === 'probe' ? Math.max(1, free) : free;
      const ahead = state.ahead(line.class);
      const room = line.room(slots, ahead);
      const least = (n: number) => state.atLeast(line.class, n);
      if (room < least(line.waiters[0]?.n ?? 1)) continue;
      if (state.isLocal(line, now)) line.stockHere(room, redisNow(), state.offset);
      line.serve(slots, ahead, now + BLOCK_MS, least);
    }
  }

  function tidy(): void {
    const now = clock.now();
    for (const { budget, stock, waiters } of state.lines) {
      if (stock.firstDue !== null && stock.firstDue + keepMs(waiters.length) <= now)
        log.giveBack(budget, stock.clear());
    }
  }

  function nextSync(now: number): number {
    const { pending } = log;
    pendingAt = pending === 'none' ? null : (pendingAt ?? now);
    return Math.max(retryAt, syncAt(state, now, pending, pendingAt ?? now));
  }

  function plan(): void {
    cancelTimer?.();
    cancelTimer = null;
    const now = clock.now();
    const sync = running || scheduled ? Number.POSITIVE_INFINITY : nextSync(now);
    if (sync <= now) {
      scheduled = true;
      // All that happens in this turn of the event loop shares one call.
      queueMicrotask(() => {
        scheduled = false;
        running ??= run();
      });
      return;
    }
    const at = Math.min(sync, serveAt(state));
    if (at < Number.POSITIVE_INFINITY) cancelTimer = clock.after(Math.max(0, at - now), wake);
  }

  function wake(): void {
    serve();
    tidy();
    plan();
  }

  function wantsOf(outcomes: Outcomes): Want[] {
    const now = clock.now();
    return BUDGET_NAMES.flatMap((budget) => {
      const came = outcomes.budgets.get(budget);
      const wanted = nobody();
      for (const line of state.lines) {
        if (line.budget !== budget || (state.askAt(line) ?? Number.POSITIVE_INFINITY) > now) continue;
        if (!state.isLocal(line, now)) wanted[line.class] = state.missing(line);
      }
      if (!came && wanted.singles + wanted.bulk === 0) return [];
      return {
        budget,
        start: settings().budgets[budget].start ?? UNLIMITED,
        version: learner.version(budget),
        good: came?.good ?? 0,
        refused: came?.refusals.length ?? 0,
        retryAfterMs: came?.retryAfterMs ?? 0,
        unused: came?.unused ?? { n: 0, from: 0 },
        wanted,
      };
    });
  }

  function receive(request: TakeRequest, reply: TakeReply): void {
    const now = clock.now();
    state.offset = reply.now - now;
    state.accountPause = Math.max(state.accountPause, reply.pausedUntil);
    state.breaker = reply.breaker;
    state.slots = reply.slots;
    state.slotsAt = now + (reply.slotsWaitMs ?? 0);
    state.reported = request.inUse;
    state.asked = request.slots;
    state.leased = request.slots.singles + request.slots.bulk > 0;
    state.syncedAt = now;
    const probe = reply.breaker === 'probe';
    if (probe || reply.breaker === 'open') for (const l of state.lines) log.giveBack(l.budget, l.stock.clear());
    for (const [i, answer] of reply.budgets.entries()) {
      state.rates.set(answer.budget, answer.rate);
      state.pauses.set(answer.budget, answer.pausedUntil);
      for (const c of CLASSES) {
        if ((request.wants[i]?.wanted[c] ?? 0) === 0) continue;
        state.line(answer.budget, c).receive(answer[c], answer.rate, state.offset, now, probe);
      }
    }
    for (const l of state.lines) {
      if (state.pausedUntil(l.budget) - reply.now > LONG_PAUSE_MS) log.giveBack(l.budget, l.stock.clear());
    }
  }

  async function learn(reply: TakeReply, outcomes: Outcomes): Promise<void> {
    for (const answer of reply.budgets) {
      const refusals = outcomes.budgets.get(answer.budget)?.refusals ?? [];
      const learned = await learner.learn(answer, reply.now, settings().budgets[answer.budget], refusals);
      if (!learned) continue;
      if (learned.rate > answer.rate * ROUNDING) {
        for (const l of state.lines) if (l.budget === answer.budget) l.askAt = 0;
      }
      state.rates.set(answer.budget, learned.rate);
      state.pauses.set(answer.budget, Math.max(state.accountPause, learned.pausedUntil));
    }
  }

  async function call(outcomes: Outcomes): Promise<void> {
    const { order, probe } = outcomes;
    const { maxInFlight } = settings();
    const common = { worker: parts.worker, maxInFlight, leaseMs: LEASE_MS, outcomes: order, probe };
    const request = { ...common, ...slotsRequest(state), wants: wantsOf(outcomes) };
    const reply = await scripts.take(request).catch((error: unknown) => {
      log.restore(outcomes);
      throw error;
    });
    receive(request, reply);
    serve();
    await learn(reply, outcomes);
  }

  async function run(): Promise<void> {
    tidy();
    pendingAt = null;
    try {
      await call(log.drain());
    } catch (error) {
      retryAt = clock.now() + RETRY_MS;
      if (closing) forget();
      onError(error);
    }
    running = null;
    wake();
  }

  /** Redis went before us: the leases run out by themselves. */
  function forget(): void {
    log.drain();
    state.leased = false;
    retryAt = 0;
  }

  return {
    state,
    now: redisNow,
    fill,
    wake,
    async drain() {
      closing = true;
      for (const c of CLASSES) state.held[c].refuse(() => true);
      for (const l of state.lines) log.giveBack(l.budget, l.stock.clear());
      await running;
      if (!state.leased && log.pending === 'none') return;
      running ??= run();
      await running;
    },
  };
}
