import { CLASSES, type PerClass, type PermitClass, type TakeReply, type TakeRequest } from './budget-scripts.ts';
import type { BudgetName, BudgetSettings } from './budget-settings.ts';
import { UNLIMITED } from './controller/state.ts';
import { createSlots, type SlotsByClass } from './create-slots.ts';
import { LEASE_MS, REPORT_MS } from './loop-times.ts';
import { createPermitLine, type PermitLine } from './permit-line.ts';

/** What is claimed while those before it are still under way, as a share of the slots: a claim takes a thirtieth of a usual request's time. */
const AHEAD = 1 / 8;
/** Requests that take less leave a process no time in which its slots are empty, and it does better with fewer and larger claims. */
const AHEAD_FROM_MS = 50;
/** There nobody is given fewer slots at a time than this share of all: as many claims as answers would be most of the work. */
const TOGETHER = 1 / 8;
/** What the newest request counts for in how long they take. */
const NEWEST = 0.1;

export const nobody = (): Record<PermitClass, number> => ({ singles: 0, bulk: 0 });

/** What a process knows of the account and of those who wait here. `offset` turns local ms into Redis ms. */
export type LoopState = {
  readonly most: number;
  readonly lines: readonly PermitLine[];
  readonly held: SlotsByClass;
  readonly rates: Map<BudgetName, number>;
  readonly pauses: Map<BudgetName, number>;
  accountPause: number;
  offset: number;
  breaker: TakeReply['breaker'];
  /** Slots that may be used; null before the first answer. */
  slots: PerClass<number> | null;
  /** When to ask again where there are none, local ms. */
  slotsAt: number;
  /** Of the last call: when it was answered (local ms), what it said to be in use and to be wanted, whether Redis holds slots for us. */
  syncedAt: number;
  reported: PerClass<number>;
  asked: PerClass<number>;
  leased: boolean;
  line(budget: BudgetName, permitClass: PermitClass): PermitLine;
  stock(permitClass: PermitClass): number;
  isBusy(): boolean;
  free(permitClass: PermitClass): number;
  /** A request took so long. */
  took(ms: number): void;
  /** Requests that may be let go ahead of their slots. */
  ahead(permitClass: PermitClass): number;
  /** Permits that are given together at the least to who wants `n` of them. */
  atLeast(permitClass: PermitClass, n: number): number;
  /** Whether the line's permits need no Redis: its rate has no limit, and the slots that Redis holds for us are ours to use. */
  isLocal(line: PermitLine, now: number): boolean;
  /** Redis ms. */
  pausedUntil(budget: BudgetName): number;
  /** Permits that the line's waiters lack. */
  missing(line: PermitLine): number;
  /** From when on (local ms) asking for the line's permits can bring any; null = not at all as things are. */
  askAt(line: PermitLine): number | null;
};

/** @param most slots of a class that this process can use */
export function createLoopState(settings: () => BudgetSettings, most: number): LoopState {
  const lines: PermitLine[] = [];
  /** How long requests have taken, the newest counting most. */
  let tookMs = 0;
  const state: LoopState = {
    most,
    lines,
    held: { singles: createSlots(), bulk: createSlots() },
    rates: new Map(),
    pauses: new Map(),
    accountPause: 0,
    offset: 0,
    breaker: 'closed',
    slots: null,
    slotsAt: 0,
    syncedAt: 0,
    reported: nobody(),
    asked: nobody(),
    leased: false,
    line(budget, permitClass) {
      let found = lines.find((l) => l.budget === budget && l.class === permitClass);
      if (!found) {
        found = createPermitLine(budget, permitClass);
        lines.push(found);
        lines.sort((a, b) => CLASSES.indexOf(a.class) - CLASSES.indexOf(b.class));
      }
      return found;
    },
    stock: (c) => lines.reduce((n, l) => n + (l.class === c ? l.stock.size : 0), 0),
    isBusy: () =>
      CLASSES.some((c) => state.held[c].inUse + state.held[c].late > 0) ||
      lines.some((l) => l.waiters.length + l.stock.size > 0),
    free: (c) => (state.slots?.[c] ?? 0) - state.held[c].inUse,
    took(ms) {
      tookMs += NEWEST * (ms - tookMs);
    },
    ahead(c) {
      if (state.breaker !== 'closed' || tookMs < AHEAD_FROM_MS) return 0;
      return Math.max(0, Math.floor((state.slots?.[c] ?? 0) * AHEAD) - state.held[c].late);
    },
    atLeast(c, n) {
      if (c === 'singles' || tookMs >= AHEAD_FROM_MS || state.breaker !== 'closed') return 1;
      return Math.max(1, Math.min(n, Math.floor((state.slots?.[c] ?? 0) * TOGETHER)));
    },
    isLocal(l, now) {
      if (settings().budgets[l.budget].start !== null || state.breaker !== 'closed' || state.slots === null)
        return false;
      return now - state.syncedAt < LEASE_MS / 2;
    },
    pausedUntil: (budget) => Math.max(state.accountPause, state.pauses.get(budget) ?? 0),
    missing(l) {
      // More than a second's permits need not be asked for, and need no slots yet.
      const perSecond = state.rates.get(l.budget) ?? settings().budgets[l.budget].start ?? UNLIMITED;
      return l.missing(Math.ceil(perSecond));
    },
    askAt(l) {
      const missing = state.missing(l);
      if (missing === 0) return null;
      if (state.slots === null) return 0;
      const slots = state.slots[l.class];
      const held = state.held[l.class];
      if (slots > 0 && settings().budgets[l.budget].start === null && state.breaker === 'closed') {
        // Only slots are lacking: more of them are there for the asking once, then as others give theirs up.
        const wanted = Math.min(settings().maxInFlight, most, held.inUse + held.late + missing);
        return wanted > state.asked[l.class] ? 0 : state.syncedAt + REPORT_MS;
      }
      if (slots === 0) return Math.max(state.slotsAt, l.askAt);
      // As take.lua counts it. Half of the slots at a time, or each one that falls free would make a call.
      const room = 2 * slots - held.inUse - held.late - state.stock(l.class);
      return room >= Math.min(missing, Math.ceil(slots / 2)) ? l.askAt : null;
    },
  };
  return state;
}

/** The slots that are in use and wanted, and the permits in stock, for the next call. */
export function slotsRequest(state: LoopState): Pick<TakeRequest, 'inUse' | 'slots' | 'stock'> {
  const stock = { singles: state.stock('singles'), bulk: state.stock('bulk') };
  const { singles, bulk } = state.held;
  const inUse = { singles: singles.inUse, bulk: bulk.inUse };
  const slots = { singles: singles.inUse + singles.late, bulk: bulk.inUse + bulk.late };
  for (const l of state.lines) slots[l.class] += state.missing(l) + l.stock.size;
  // Those that nobody here could use would keep the others waiting.
  for (const c of CLASSES) slots[c] = Math.max(inUse[c], Math.min(slots[c], state.most));
  return { inUse, slots, stock };
}
