import { block, isSilent, QUOTA_HOLD_MS, tryLater } from './blocked.ts';
import type { Draft, Passed } from './moves.ts';
import { BACK, cut, hold, isQuota, isUsed, mark, measure, passedSince, pause, repay } from './moves.ts';
import { COSTLY_HOLD_MS, PROBE_STEPS } from './quiet.ts';
import type { Refusal } from './state.ts';
import { HOLD_MS, isFixed } from './state.ts';

const FIXED_WAIT_MS = 1000;
const FIXED_WAIT_MAX_MS = 15_000;

const COSTLY_MS = 250;
const LONG_MS = 5000;
const RAISE = 0.03;
const ROUGH_S = 0.6;
const ROUGH_HITS = 4;
const FINE_S = 1.5;
const FINE_HITS = 3;
const FINE_SENT = 15;
const ISOLATED_S = 5;
const ISOLATED_SENT = 50;
const SUSPECT_HITS = 3;
const HOLD_MAX_MS = 30_000;
/** A probe that ends within this factor of the estimate confirms it. */
const SAME = 1.3;
/** What a probe that was refused on its n-th step adds to the estimate. */
const BUMPS = [1, 1.005, 1.02];

/** A request of this budget was refused. */
export function refused(d: Draft, refusal: Refusal): void {
  const { s } = d;
  if (refusal.retryAfterMs > 0) pause(d, refusal.retryAfterMs);
  if (refusal.sentAt < s.cutAt) return;
  s.streak++;
  s.hits++;
  if (isFixed(d.limits)) waitLonger(d);
  else if (s.phase === 'blocked') tryLater(d);
  else if (isSilent(d) || refusal.retryAfterMs >= LONG_MS) block(d, refusal.sentAt);
  else adapt(d, refusal);
  s.hitAt = refusal.sentAt;
}

/** The rate is the operator's, so all that is left is to wait: longer and longer while nothing passes. */
function waitLonger(d: Draft): void {
  d.s.waitMs = Math.min(FIXED_WAIT_MAX_MS, Math.max(FIXED_WAIT_MS, d.s.waitMs * 2));
  cut(d);
  pause(d, d.s.waitMs);
}

function adapt(d: Draft, { sentAt, retryAfterMs }: Refusal): void {
  const { s } = d;
  if (retryAfterMs >= COSTLY_MS) costly(d, sentAt);
  else if (s.phase === 'measure') measuring(d, sentAt);
  else if (s.phase === 'probe') probing(d, sentAt);
  else if (s.phase === 'hold') holding(d, sentAt);
  else {
    mark(d, sentAt);
    measure(d, s.rate, RAISE);
  }
}

/** How far above an estimate to go so that it is refused often enough to measure, and no more often. */
function above(rate: number): number {
  return 1 + Math.min(0.15, Math.max(0.02, 0.25 / Math.sqrt(rate)));
}

function measuring(d: Draft, sentAt: number): void {
  const { s } = d;
  if (s.cycleAt === 0 || !isUsed(d)) {
    mark(d, sentAt);
    return;
  }
  const { seconds, n, perSecond } = passedSince(d, sentAt);
  const farAbove = s.rate > perSecond * (above(perSecond) + 0.04);
  if (seconds >= ROUGH_S && s.hits >= ROUGH_HITS && n >= 3 && farAbove) {
    s.ceiling = s.rate;
    measure(d, Math.max(s.rate / 4, perSecond * above(perSecond)), RAISE);
    return;
  }
  if (seconds < FINE_S || s.hits < FINE_HITS || n < FINE_SENT) return;
  s.known = perSecond;
  s.holdMs = HOLD_MS;
  mark(d, sentAt);
  hold(d, s.known * BACK);
}

const isIsolated = ({ seconds, n }: Passed): boolean => seconds >= ISOLATED_S && n >= ISOLATED_SENT;

function probing(d: Draft, sentAt: number): void {
  const { s } = d;
  const passed = passedSince(d, sentAt);
  if (s.rate > s.known * SAME) {
    s.ceiling = s.rate;
    const low = Math.max(passed.perSecond, s.known) * 1.1;
    const before = s.rate / (1 + s.raise);
    measure(d, Math.min(s.rate, Math.max(low, Math.sqrt(low * before))), 0.1);
    return;
  }
  const bump = BUMPS[PROBE_STEPS.indexOf(s.raise)] ?? 1;
  s.known = Math.max(s.known * bump, isIsolated(passed) ? Math.min(s.known * 1.03, passed.perSecond) : 0);
  s.holdMs = isQuota(d) ? QUOTA_HOLD_MS : Math.min(HOLD_MAX_MS, s.holdMs * 1.5);
  mark(d, sentAt);
  hold(d, s.known * BACK);
}

function holding(d: Draft, sentAt: number): void {
  const { s } = d;
  const passed = passedSince(d, sentAt);
  if (isUsed(d) && (s.cycleAt === 0 || isIsolated(passed))) {
    // The bucket was emptied slowly, so what passed meanwhile is nearly exact; its last token is the one request more.
    const exact = Math.min(s.rate, (passed.n + 1) / passed.seconds) * 0.998;
    const rate = Math.max(s.rate * 0.97, passed.seconds > 0 ? exact : 0);
    s.known = rate / BACK;
    mark(d, sentAt);
    hold(d, rate);
    return;
  }
  if (s.hits < SUSPECT_HITS) {
    repay(d);
    return;
  }
  mark(d, sentAt);
  measure(d, s.rate, 0);
}

/** Every refusal costs a pause in which a bucket overflows: what passed is a lower bound only. Close in from both sides. */
function costly(d: Draft, sentAt: number): void {
  const { s } = d;
  const activeMs = s.activeMs - Math.max(0, s.at - sentAt);
  const low = passedSince(d, sentAt).perSecond;
  const back = activeMs >= 5000 ? 0.975 : activeMs >= 1000 ? 0.9 : 0.8;
  s.costly = 1;
  mark(d, sentAt);
  if (s.phase === 'probe' && s.rate <= s.known * SAME) {
    s.holdMs = COSTLY_HOLD_MS;
    hold(d, s.known * BACK);
    return;
  }
  s.ceiling = s.rate;
  if (s.phase === 'grow') {
    measure(d, s.rate / SAME, RAISE);
    return;
  }
  const next = Math.max(low, s.rate * back);
  if (s.phase !== 'hold' || activeMs < 5000) {
    measure(d, next, RAISE);
    return;
  }
  s.known = next / BACK;
  hold(d, next);
}
