import { unblock } from './blocked.ts';
import type { Draft } from './moves.ts';
import { quiet } from './quiet.ts';
import { refused } from './refused.ts';
import type { BudgetLimits, ControllerEvent, ControllerState } from './state.ts';
import { clampRate, isFixed } from './state.ts';

const TICK_MS = 250;

/** Whether an event without refusals could change anything yet. */
export function stepDue(state: ControllerState, at: number, good: number): boolean {
  return at >= state.at + TICK_MS || (state.phase === 'blocked' && good > state.good);
}

/**
 * The next state. Pure: the same state, limits and event give the same answer on every worker.
 *
 * What passed between two refusals is the limit, for the bucket is empty, or the quota spent, at both ends. So: grow
 * until refused, measure one cycle, hold just under it, and now and then probe for more.
 */
export function step(state: ControllerState, limits: BudgetLimits, event: ControllerEvent): ControllerState {
  const phase = isFixed(limits) ? 'hold' : state.phase;
  const d: Draft = { s: { ...state, phase, rate: clampRate(limits, state.rate) }, limits, aheadMs: event.aheadMs };
  advance(d, event);
  passed(d, event.good);
  for (const refusal of event.limited) refused(d, refusal);
  if (event.limited.length === 0 && !isFixed(limits)) quiet(d);
  return d.s;
}

/** Sends follow from the schedule, not from answers: those are reported late, and by several workers. */
function advance({ s }: Draft, event: ControllerEvent): void {
  const at = Math.max(s.at, event.at);
  const gapMs = Math.max(s.gapMs, event.gapMs);
  const activeMs = Math.max(0, at - s.at - (gapMs - s.gapMs));
  s.activeMs += activeMs;
  s.pausedMs += Math.max(0, Math.min(at, s.pausedUntil) - s.at);
  s.sent += (s.rate * activeMs) / 1000;
  s.gapMs = gapMs;
  s.at = at;
}

function passed(d: Draft, good: number): void {
  const { s } = d;
  const n = good - s.good;
  if (n <= 0) return;
  s.good = good;
  s.streak = 0;
  s.goodAt = s.at;
  if (s.phase === 'blocked') unblock(d);
  s.waitMs = 0;
  s.resetGood += n;
}
