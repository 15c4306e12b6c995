import type { Draft } from './moves.ts';
import { cut, enter, isQuota, mark, measure, pause } from './moves.ts';
import { HOLD_MS } from './state.ts';

const STREAK = 6;
const SILENT_MS = 250;
const WAIT_MIN_MS = 250;
const WAIT_MAX_MS = 15_000;
const WAIT_GROWTH = 3;
const BRIEF_MS = 1500;
const BRIEF_BACK = 0.7;
const BACK_UNKNOWN = 0.8;
const QUOTA_MIN_S = 10;
const QUOTA_MAX_S = 200;
const MINUTE_MS = 60_000;
const AFTER_MINUTE_MS = 50;

/** A probe of a quota costs the rest of it, so they are far apart, ms. */
export const QUOTA_HOLD_MS = 120_000;

/** Whether nothing passes any more: many refusals in a row, and not just the tail of a window of a second. */
export function isSilent(d: Draft): boolean {
  const { s } = d;
  return s.streak >= STREAK && (isQuota(d) || s.at - Math.max(s.goodAt, s.cutAt) >= SILENT_MS);
}

export function block(d: Draft, sentAt: number): void {
  const { s } = d;
  s.blockedAt = s.at;
  s.waitMs = Math.min(1000, 1000 / s.rate);
  mark(d, sentAt);
  enter(d, 'blocked', s.rate);
  cut(d);
  pause(d, s.waitMs);
}

/** Single tries further and further apart, and one right after each full minute: that is when quotas are renewed. */
export function tryLater(d: Draft): void {
  const { s } = d;
  s.waitMs = Math.min(WAIT_MAX_MS, Math.max(WAIT_MIN_MS, s.waitMs * WAIT_GROWTH));
  cut(d);
  pause(d, Math.min(s.waitMs, MINUTE_MS - (s.at % MINUTE_MS) + AFTER_MINUTE_MS));
}

/** Something passes again: a quota was renewed, and what passed since the renewal before it is the quota. */
export function unblock(d: Draft): void {
  const { s } = d;
  const triedAt = Math.max(s.blockedAt, Math.min(s.at, s.pausedUntil));
  const seconds = (triedAt - s.resetAt) / 1000;
  const brief = s.at - s.blockedAt < BRIEF_MS;
  s.waitMs = 0;
  cut(d);
  if (brief) {
    s.ceiling = s.rate;
    measure(d, s.rate * BRIEF_BACK, 0.03);
    return;
  }
  const measured = seconds >= QUOTA_MIN_S && seconds < QUOTA_MAX_S;
  s.known = measured ? s.resetGood / seconds : s.rate * BACK_UNKNOWN;
  s.holdMs = s.resets === 0 ? HOLD_MS : QUOTA_HOLD_MS;
  s.resetAt = triedAt;
  s.resetGood = 0;
  s.resets++;
  enter(d, 'hold', s.known);
}
