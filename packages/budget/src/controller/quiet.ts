import type { Draft } from './moves.ts';
import { BACK, enter, hold, isQuota, isUsed, measure, passedSince } from './moves.ts';

const GROW_MS = 2000;
const GROW_BY = 1.6;
const QUIET_MS = 1500;
const QUIET_SENT = 12;
const RAISE_MAX = 0.25;
const STEP_MS = 2000;
const STEP_SENT = 10;
const PATIENCE_MS = 15_000;
const PROOF = 1.01;
const COSTLY_STEP_MS = 6000;

/** How far above the estimate the first steps of a probe go. */
export const PROBE_STEPS = [0.015, 0.04, 0.08];
/** How long to hold where a refusal costs a pause, ms. */
export const COSTLY_HOLD_MS = 40_000;

/** Nothing was refused: there may be room for more, provided that the room there was has been used. */
export function quiet(d: Draft): void {
  const { s } = d;
  if (!isUsed(d)) return;
  const ms = s.at - s.since - s.pausedMs;
  if (s.phase === 'grow' && ms >= GROW_MS) enter(d, 'grow', s.rate * GROW_BY);
  else if (s.phase === 'measure') measureOn(d);
  else if (s.phase === 'hold' && ms >= s.holdMs) beginProbe(d);
  else if (s.phase === 'probe') probeOn(d, ms);
}

function measureOn(d: Draft): void {
  const { s } = d;
  const calmMs = s.at - Math.max(s.since, s.hitAt);
  if (calmMs < Math.max(QUIET_MS, (1000 * QUIET_SENT) / s.rate)) return;
  if (s.raise === 0) {
    hold(d, s.rate);
    return;
  }
  if (s.costly === 1) {
    measureOnCarefully(d);
    return;
  }
  const next = s.rate * (1 + s.raise);
  const bounded = s.ceiling > s.rate * 1.02 ? Math.min(next, (s.rate + s.ceiling) / 2) : next;
  measure(d, bounded, Math.min(RAISE_MAX, s.raise * 2));
}

function measureOnCarefully(d: Draft): void {
  const { s } = d;
  if (s.ceiling <= s.rate * 1.0001) {
    measure(d, s.rate * (1 + s.raise), Math.min(RAISE_MAX, s.raise * 2));
    return;
  }
  if (s.activeMs < COSTLY_STEP_MS) return;
  if (s.rate < s.ceiling * 0.97) {
    measure(d, (s.rate + s.ceiling) / 2, s.raise);
    return;
  }
  s.known = s.rate / BACK;
  s.holdMs = COSTLY_HOLD_MS;
  hold(d, s.rate);
}

function beginProbe(d: Draft): void {
  const { s } = d;
  if (s.known === 0) s.known = s.rate;
  s.raise = PROBE_STEPS[0] ?? 0;
  enter(d, 'probe', s.known * (1 + s.raise));
}

/**
 * Since the cycle began with an empty bucket, what passed since then cannot exceed the limit, whatever the burst: once
 * it exceeds the estimate, the limit has grown for certain. Without that proof the rate goes up slowly.
 */
function probeOn(d: Draft, ms: number): void {
  const { s } = d;
  const proof = passedSince(d, s.at).perSecond;
  const proven = proof > s.known * PROOF;
  const step = PROBE_STEPS.indexOf(s.raise);
  const next = PROBE_STEPS[step + 1];
  const waits = step >= 0 && next === undefined && !proven;
  if (ms < (waits ? PATIENCE_MS : Math.max(STEP_MS, (1000 * STEP_SENT) / s.rate))) return;
  if (step >= 0 && next !== undefined) {
    s.raise = next;
    enter(d, 'probe', s.known * (1 + next));
    return;
  }
  const top = 2 * Math.max(s.known, proof);
  if (!proven && s.rate >= top && !isQuota(d)) s.known = s.rate;
  s.raise = Math.min(0.5, s.raise * 2);
  const raised = s.rate * (1 + s.raise);
  enter(d, 'probe', proven && !isQuota(d) ? raised : Math.min(top, raised));
}
