import { CLASSES } from './budget-scripts.ts';
import type { LoopState } from './loop-state.ts';

/** A slot of a process that died is free after this, ms. */
export const LEASE_MS = 15_000;
/** How long permits are kept that nobody came for, and such as find no slot, ms. */
const KEEP_IDLE_MS = 50;
const KEEP_LATE_MS = 1000;
/** How long what came of requests may wait to be told, ms. */
export const REPORT_MS = 100;
const IDLE_MS = 20;

/** When to call Redis next, local ms. `pending`: what is to be reported, since `pendingAt`. */
export function syncAt(state: LoopState, now: number, pending: 'none' | 'some' | 'urgent', pendingAt: number): number {
  if (pending === 'urgent') return now;
  const { slots, reported, held, syncedAt } = state;
  const busy = state.isBusy();
  let at = Number.POSITIVE_INFINITY;
  for (const line of state.lines) at = Math.min(at, state.askAt(line) ?? at);
  if (pending === 'some') at = Math.min(at, pendingAt + (busy ? REPORT_MS : IDLE_MS));
  // Others wait for slots that are ours no longer and have fallen free.
  const owed = CLASSES.some((c) => slots !== null && reported[c] > slots[c] && held[c].inUse < reported[c]);
  // They have asked for their slots; others may have given theirs up.
  if (CLASSES.some((c) => held[c].late > 0)) at = Math.min(at, syncedAt + REPORT_MS);
  if (owed) at = Math.min(at, syncedAt + IDLE_MS);
  if (state.leased) at = Math.min(at, syncedAt + (busy ? LEASE_MS / 3 : IDLE_MS));
  return at;
}

/** When a permit can be handed out or has to be given back, local ms. */
export function serveAt(state: LoopState): number {
  let at = Number.POSITIVE_INFINITY;
  for (const line of state.lines) {
    const { firstDue } = line.stock;
    if (firstDue === null) continue;
    at = Math.min(at, firstDue + keepMs(line.waiters.length));
    const [head] = line.waiters;
    if (!head || line.room(state.free(line.class), state.ahead(line.class)) < state.atLeast(line.class, head.n))
      continue;
    at = Math.min(at, Math.max(firstDue, state.pausedUntil(line.budget) - state.offset));
  }
  return at;
}

/** How long after its time a permit is kept, ms. */
export function keepMs(waiters: number): number {
  return waiters === 0 ? KEEP_IDLE_MS : KEEP_LATE_MS;
}
