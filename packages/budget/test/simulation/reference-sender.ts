import type { Sender } from './senders.ts';

const HOLD = 20;
const HOLD_MAX = 60;
const BACK = 0.985;
const PROBE = 0.03;

/**
 * The controller to be compared with: grow until refused, measure one cycle, hold just under it, probe. It counts the
 * answers between two refusals, and knows nothing of demand, of Retry-After's price or of quotas.
 */
export function referenceSender({ start = 5, min = 0.5, max = 1000 } = {}): Sender {
  let rate = start;
  let phase: 'grow' | 'measure' | 'hold' | 'probe' | 'blocked' = 'grow';
  let known: number | null = null;
  let since = 0;
  let step = 0;
  let ok = 0;
  let cycleAt = 0;
  let hits = 0;
  let pausedUntil = 0;
  let cutAt = -9;
  let holdFor = HOLD;
  let streak = 0;
  let blockedAt: number | null = null;
  let okSinceBlock = 0;
  let wait = 0;
  let probing = false;
  let blip = false;

  function enter(next: typeof phase, t: number, r: number): void {
    phase = next;
    since = t;
    rate = Math.min(max, Math.max(min, r));
  }
  function mark(t: number): void {
    cycleAt = t;
    ok = 0;
    hits = 0;
  }
  function pause(t: number, seconds: number): void {
    pausedUntil = Math.max(pausedUntil, t + seconds);
  }
  function settle(t: number, estimate: number): void {
    known = estimate;
    holdFor = probing ? Math.min(HOLD_MAX, holdFor * 1.5) : HOLD;
    probing = blip = false;
    cutAt = t;
    enter('hold', t, estimate * BACK);
    pause(t, 1 / rate);
  }
  function block(t: number): void {
    const span = blockedAt === null ? 0 : t - blockedAt;
    const estimate = span > 5 && okSinceBlock >= 10 ? okSinceBlock / span : rate * 0.6;
    streak = 0;
    cutAt = t;
    blockedAt = t;
    okSinceBlock = 0;
    wait = Math.min(1, 1 / rate);
    pause(t, wait);
    enter('blocked', t, Math.min(rate, estimate));
  }
  function refuse(t: number): void {
    if (phase === 'grow') {
      mark(t);
      cutAt = t;
      enter('measure', t, rate / 1.3);
    } else if (phase === 'measure') {
      const span = t - cycleAt;
      if (span >= 1 && ok >= 10 && hits >= 2) settle(t, ok / span);
    } else {
      if (phase === 'probe') probing = true;
      else blip = true;
      mark(t);
      enter('measure', t, rate);
    }
  }

  return {
    rate: () => rate,
    pausedUntil: () => pausedUntil,
    schedule() {},
    passed(t) {
      ok += 1;
      okSinceBlock += 1;
      streak = 0;
      if (phase !== 'blocked') return;
      wait = 0;
      mark(t);
      enter('measure', t, rate);
    },
    refused(t, sentAt, retryAfter) {
      hits += 1;
      if (retryAfter > 0) pause(t, retryAfter);
      if (sentAt < cutAt) return;
      if (phase === 'blocked') {
        cutAt = t;
        wait = Math.min(15, Math.max(0.25, wait * 2));
        pause(t, wait);
        return;
      }
      streak += 1;
      if (streak >= 6) block(t);
      else refuse(t);
    },
    tick(t) {
      const d = t - since;
      if (phase === 'grow') {
        if (d >= 2) enter('grow', t, rate * 1.6);
      } else if (phase === 'measure' && blip && hits <= 1) {
        if (d < Math.max(3, 30 / rate)) return;
        blip = false;
        enter('hold', t, rate);
      } else if (phase === 'measure' && d >= 1 && t - cycleAt > 3 && hits <= 1) enter('measure', t, rate * 1.05);
      else if (phase === 'hold' && d >= holdFor) {
        step = PROBE;
        enter('probe', t, (known ?? rate) * (1 + step));
      } else if (phase === 'probe' && d >= 5) {
        known = rate;
        step = Math.min(0.6, step * 2);
        enter('probe', t, known * (1 + step));
      }
    },
  };
}
