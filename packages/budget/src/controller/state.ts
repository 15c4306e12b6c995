/** One budget's rules, set by the operator. Rates are permits per second; `start` null = unlimited, never adapted. */
export type BudgetLimits = {
  readonly start: number | null;
  readonly min: number;
  readonly max: number;
  readonly adaptive: boolean;
};

/**
 * - `grow`: no refusal yet. `measure`: refusals come; find how much passes. `hold`: just under what is known.
 * - `probe`: a little above it, to see whether there is more. `blocked`: nothing passes; single tries.
 */
export type Phase = 'grow' | 'measure' | 'hold' | 'probe' | 'blocked';

/** What the controller knows: flat, JSON-safe, kept in Redis, shared by every worker. Times are ms, rates per second. */
export type ControllerState = {
  readonly phase: Phase;
  /** The rate of this phase; while blocked, the rate to resume with. See {@link rateNow}. */
  readonly rate: number;
  /** The newest estimate of the upstream's limit; 0 = none yet. */
  readonly known: number;
  /** Nothing may be sent before this time. */
  readonly pausedUntil: number;
  /** When rate or phase last changed; how much of the time since then was used, how much was paused. */
  readonly since: number;
  readonly activeMs: number;
  readonly pausedMs: number;
  /** The running cycle: when the refusal that began it was sent (0 = none), the sends and the refusals since then. */
  readonly cycleAt: number;
  readonly sent: number;
  readonly hits: number;
  /** When the newest refusal was sent. */
  readonly hitAt: number;
  /** Refusals of requests sent before this time answer a rate that is no more. */
  readonly cutAt: number;
  /** Refusals since anything passed, and when something last did. */
  readonly streak: number;
  readonly goodAt: number;
  /** The lowest rate refused while measuring; 0 = none. */
  readonly ceiling: number;
  /** How long to hold, and the share by which the rate is raised next. */
  readonly holdMs: number;
  readonly raise: number;
  /** 1 once refusals ask for a pause (Retry-After): measuring by several of them would cost a pause each. */
  readonly costly: number;
  /** When the upstream stopped passing anything, and the wait between the tries since. */
  readonly blockedAt: number;
  readonly waitMs: number;
  /** When a quota was last seen renewed, what passed since, and how often that was seen. */
  readonly resetAt: number;
  readonly resetGood: number;
  readonly resets: number;
  /** Time and counters of the last event. */
  readonly at: number;
  readonly good: number;
  readonly gapMs: number;
};

/** A refusal (429): when its request was sent, ms since 1970, and what Retry-After said (0 = nothing). */
export type Refusal = { readonly sentAt: number; readonly retryAfterMs: number };

/**
 * What happened up to `at` (ms since 1970). `good` and `gapMs` are counters that only grow: answers that were not
 * refusals, and ms in which no permit was scheduled. `aheadMs`: how far ahead permits were handed out already.
 */
export type ControllerEvent = {
  readonly at: number;
  readonly good: number;
  readonly gapMs: number;
  readonly aheadMs: number;
  readonly limited: readonly Refusal[];
};

/** The rate that stands for "no limit": finite, so that it survives JSON. */
export const UNLIMITED = 1e9;

/** Permits per second of the single tries while nothing passes. */
const TRIES_PER_SECOND = 2;

/** How long the first hold lasts, ms. */
export const HOLD_MS = 20_000;

/** Whether the operator keeps the rate where it starts. */
export function isFixed(limits: BudgetLimits): boolean {
  return limits.start === null || !limits.adaptive;
}

/** `rate` within the operator's floor and ceiling; a fixed budget always answers its start. */
export function clampRate(limits: BudgetLimits, rate: number): number {
  if (limits.start === null) return UNLIMITED;
  return limits.adaptive ? Math.min(limits.max, Math.max(limits.min, rate)) : limits.start;
}

/** A state that knows nothing: it starts at the operator's `start`. */
export function initialState(limits: BudgetLimits, at: number): ControllerState {
  return {
    phase: isFixed(limits) ? 'hold' : 'grow',
    rate: clampRate(limits, limits.start ?? UNLIMITED),
    known: 0,
    pausedUntil: 0,
    since: at,
    activeMs: 0,
    pausedMs: 0,
    cycleAt: 0,
    sent: 0,
    hits: 0,
    hitAt: 0,
    cutAt: 0,
    streak: 0,
    goodAt: at,
    ceiling: 0,
    holdMs: HOLD_MS,
    raise: 0,
    costly: 0,
    blockedAt: 0,
    waitMs: 0,
    resetAt: at,
    resetGood: 0,
    resets: 0,
    at,
    good: 0,
    gapMs: 0,
  };
}

/** Permits per second that may be handed out in this state. */
export function rateNow(state: ControllerState): number {
  return state.phase === 'blocked' ? Math.min(state.rate, TRIES_PER_SECOND) : state.rate;
}
