import { createEventQueue } from './event-queue.ts';
import type { Limiter } from './limiters.ts';
import type { Sender } from './senders.ts';

/** Times in seconds, rates per second. */
export type Scenario = {
  readonly limiter: Limiter;
  readonly sender: Sender;
  readonly seed: number;
  readonly seconds: number;
  /** There and back; each way varies by 30 %. Default 0.1. */
  readonly latency?: number;
  /** New limits, at times. */
  readonly changes?: readonly (readonly [at: number, limit: number])[];
  /** Requests that there are to send. Default: always one more. */
  readonly demand?: number;
  readonly maxInFlight?: number;
  /** Whether refusals carry Retry-After. */
  readonly retryAfter?: boolean;
  readonly workers?: number;
  /** How far ahead permits are handed out. */
  readonly ahead?: number;
};

/** Share of the limit that passed, and share of what was sent that was refused. */
export type Usage = { readonly used: number; readonly refused: number };

export type Run = {
  /** Of what arrived in [from, to), against that limit. */
  part(from: number, to: number, limit: number): Usage;
};

type Happening = { readonly t: number } & (
  | { readonly kind: 'take'; readonly turn: number }
  | { readonly kind: 'send'; readonly worker: number }
  | { readonly kind: 'arrive'; readonly worker: number; readonly sentAt: number; readonly back: number }
  | {
      readonly kind: 'answer';
      readonly worker: number;
      readonly sentAt: number;
      readonly ok: boolean;
      readonly retryAfter: number;
    }
  | { readonly kind: 'tick' }
  | { readonly kind: 'limit'; readonly limit: number }
);

const TICK = 0.25;
const FULL_RETRY = 0.005;

/** Sends through a limiter as the controller says, answers late, and counts. The same seed gives the same run. */
export function simulate(scenario: Scenario): Run {
  const { limiter, sender, seconds, latency = 0.1, demand = Number.POSITIVE_INFINITY } = scenario;
  const { maxInFlight = 400, retryAfter = false, workers = 1, ahead = 0 } = scenario;
  const random = seeded(scenario.seed);
  const queue = createEventQueue<Happening>();
  const arrivals: { readonly t: number; readonly ok: boolean }[] = [];
  let inFlight = 0;
  // The schedule: when the next one may be sent, time in which none was, and the rate it runs at.
  let next = 0;
  let gap = 0;
  let rate = sender.rate();
  let turn = 0;
  let nextWorker = 0;
  let dueAt = 0;

  const way = () => (latency / 2) * (0.7 + 0.6 * random());
  const takeAt = (t: number) => {
    turn += 1;
    queue.push({ t, kind: 'take', turn });
  };
  const tell = (t: number) => sender.schedule(gap + Math.max(0, t - next), Math.max(0, next - t));

  /** The next send follows the last one at the new distance. */
  function follow(t: number): void {
    const now = sender.rate();
    if (now === rate) return;
    next += 1 / now - 1 / rate;
    rate = now;
    takeAt(Math.max(t, sender.pausedUntil(), next - ahead / 2));
  }

  function take(t: number): void {
    const waitUntil = sender.pausedUntil();
    if (t < waitUntil) {
      takeAt(waitUntil);
      return;
    }
    if (inFlight >= maxInFlight) {
      takeAt(t + FULL_RETRY);
      return;
    }
    if (dueAt > t) {
      takeAt(dueAt);
      return;
    }
    follow(t);
    if (next > t + ahead + 1e-9) {
      takeAt(Math.max(t + 1e-6, next - ahead / 2));
      return;
    }
    gap += Math.max(0, t - next);
    next = Math.max(t, next);
    const worker = nextWorker++ % workers;
    do {
      // Requests that wait pile up to a second's worth.
      if (demand < Number.POSITIVE_INFINITY) dueAt = Math.max(dueAt, t - 1) + 1 / demand;
      queue.push({ t: next, kind: 'send', worker });
      next += 1 / rate;
    } while (ahead > 0 && next <= t + ahead && dueAt <= t);
    tell(t);
    takeAt(Math.max(t, next - ahead / 2));
  }

  function arrive(e: Extract<Happening, { kind: 'arrive' }>): void {
    const ok = limiter.passes(e.t, inFlight);
    arrivals.push({ t: e.t, ok });
    const wait = !ok && retryAfter ? limiter.retryAfter(e.t) : 0;
    queue.push({ t: e.t + e.back, kind: 'answer', worker: e.worker, sentAt: e.sentAt, ok, retryAfter: wait });
  }

  function answer(e: Extract<Happening, { kind: 'answer' }>): void {
    inFlight -= 1;
    tell(e.t);
    if (e.ok) sender.passed(e.t, e.worker);
    else sender.refused(e.t, e.sentAt, e.retryAfter, e.worker);
    follow(e.t);
  }

  function tick(t: number): void {
    // Workers look at the state when they send or hear something.
    if (inFlight > 0) {
      tell(t);
      sender.tick(t);
      follow(t);
    }
    queue.push({ t: t + TICK, kind: 'tick' });
  }

  function happen(e: Happening): void {
    if (e.kind === 'take' && e.turn === turn) take(e.t);
    else if (e.kind === 'arrive') arrive(e);
    else if (e.kind === 'answer') answer(e);
    else if (e.kind === 'tick') tick(e.t);
    else if (e.kind === 'limit') limiter.limit = e.limit;
    else if (e.kind === 'send') {
      inFlight += 1;
      queue.push({ t: e.t + way(), kind: 'arrive', worker: e.worker, sentAt: e.t, back: way() });
    }
  }

  takeAt(0);
  queue.push({ t: TICK, kind: 'tick' });
  for (const [t, limit] of scenario.changes ?? []) queue.push({ t, kind: 'limit', limit });
  for (let e = queue.pop(); e !== undefined && e.t <= seconds; e = queue.pop()) happen(e);

  return {
    part(from, to, limit) {
      const sent = arrivals.filter(({ t }) => t >= from && t < to);
      const passed = sent.filter(({ ok }) => ok).length;
      return { used: passed / ((to - from) * limit), refused: sent.length > 0 ? 1 - passed / sent.length : 0 };
    },
  };
}

function seeded(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
