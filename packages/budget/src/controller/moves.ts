import type { BudgetLimits, ControllerState, Phase } from './state.ts';
import { clampRate } from './state.ts';

/** One step in the making: a private copy of the state, the operator's limits, and how far ahead permits are out. */
export type Draft = {
  readonly s: { -readonly [K in keyof ControllerState]: ControllerState[K] };
  readonly limits: BudgetLimits;
  readonly aheadMs: number;
};

/** What passed between the cycle's first refusal and a request sent at `sentAt`: seconds, answers, answers per second. */
export type Passed = { readonly seconds: number; readonly n: number; readonly perSecond: number };

/** The share of the estimate that is held. A little less than all, for it is never exact. */
export const BACK = 0.996;
const USED_SHARE = 0.75;
const REPAY_MS = 30;
const QUOTA_MEMORY_MS = 300_000;

/** Starts `phase` at `rate`, within the operator's limits. */
export function enter(d: Draft, phase: Phase, rate: number): void {
  d.s.phase = phase;
  d.s.rate = clampRate(d.limits, rate);
  d.s.since = d.s.at;
  d.s.activeMs = 0;
  d.s.pausedMs = 0;
}

/** From here on only refusals of requests not yet handed out count: the others answer the rate before. */
export function cut(d: Draft): void {
  d.s.cutAt = d.s.at + d.aheadMs;
  d.s.streak = 0;
}

export function pause(d: Draft, ms: number): void {
  d.s.pausedUntil = Math.max(d.s.pausedUntil, d.s.at + ms);
}

/** A new cycle begins with the refusal of a request sent at `sentAt`. */
export function mark(d: Draft, sentAt: number): void {
  d.s.cycleAt = sentAt;
  d.s.sent = (d.s.rate * Math.max(0, d.s.at - sentAt)) / 1000;
  d.s.hits = 0;
}

export function passedSince(d: Draft, sentAt: number): Passed {
  const { s } = d;
  if (s.cycleAt === 0 || sentAt <= s.cycleAt) return { seconds: 0, n: 0, perSecond: 0 };
  const seconds = (sentAt - s.cycleAt) / 1000;
  const n = s.sent - (s.rate * (s.at - sentAt)) / 1000 - s.hits;
  return { seconds, n, perSecond: n / seconds };
}

/** Holds `rate`. The bucket is empty: without a few tokens in it the next unevenness would be refused. */
export function hold(d: Draft, rate: number): void {
  enter(d, 'hold', rate);
  d.s.ceiling = 0;
  repay(d);
}

export function repay(d: Draft): void {
  cut(d);
  pause(d, d.aheadMs + Math.max(REPAY_MS, 1000 / d.s.rate));
}

/** Measures at `rate`, going up by the share `raise` when nothing is refused (0: going back to hold). */
export function measure(d: Draft, rate: number, raise: number): void {
  if (rate !== d.s.rate) d.s.cycleAt = 0;
  if (rate < d.s.rate) cut(d);
  d.s.raise = raise;
  enter(d, 'measure', rate);
}

/** Whether the rate was made use of: silence about a rate that was not used says nothing about it. */
export function isUsed(d: Draft): boolean {
  return d.s.activeMs >= USED_SHARE * (d.s.at - d.s.since - d.s.pausedMs);
}

/** Whether the limit lately behaved like a quota per minute or so. */
export function isQuota(d: Draft): boolean {
  return d.s.resets > 0 && d.s.at - d.s.resetAt < QUOTA_MEMORY_MS;
}
