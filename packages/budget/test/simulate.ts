import type { BudgetLimits, Refusal } from '../src/controller/state.ts';
import { initialState, rateNow } from '../src/controller/state.ts';
import { step, stepDue } from '../src/controller/step.ts';

/** A stand-in for the upstream's limiter: times in seconds; `limit` may be changed while it runs. */
export type Limiter = { limit: number; ok(t: number, inFlight: number): boolean; retryAfter(t: number): number };

export function bucket(limit: number, burst: number): Limiter {
  let tokens = burst;
  let at = 0;
  return {
    limit,
    ok(t) {
      tokens = Math.min(burst, tokens + (t - at) * this.limit);
      at = t;
      if (tokens < 1) return false;
      tokens--;
      return true;
    },
    retryAfter() {
      return Math.max(1, Math.ceil((1 - tokens) / this.limit));
    },
  };
}

export function fixedWindow(limit: number, seconds: number, offset = 0): Limiter {
  let window = Number.NaN;
  let n = 0;
  return {
    limit,
    ok(t) {
      const w = Math.floor((t + offset) / seconds);
      if (w !== window) n = 0;
      window = w;
      if (n >= this.limit * seconds) return false;
      n++;
      return true;
    },
    retryAfter(t) {
      return Math.max(1, Math.ceil((window + 1) * seconds - offset - t));
    },
  };
}

export function concurrency(n: number): Limiter {
  return { limit: n, ok: (_, inFlight) => inFlight <= n, retryAfter: () => 1 };
}

export type Sender = {
  rate(): number;
  pausedUntil(): number;
  good(t: number, sentAt: number, worker: number): void;
  limited(t: number, sentAt: number, retryAfter: number, worker: number): void;
  tick(t: number): void;
  /** Told of each send: the schedule's gap before it and how far ahead it was handed out (seconds). */
  gap?(total: number, ahead: number): void;
};

export function ours(limits: Partial<BudgetLimits> = {}, flush = 0, workers = 1): Sender & { state(): ReturnType<typeof initialState> } {
  const full: BudgetLimits = { start: 5, min: 0.5, max: 1000, adaptive: true, ...limits };
  let state = initialState(full, 0);
  let good = 0;
  let gapMs = 0;
  let aheadMs = 0;
  const kept = new Array<number>(workers).fill(0);
  const flushed = new Array<number>(workers).fill(0);
  const run = (t: number, limited: readonly Refusal[]) => {
    if (limited.length > 0 || stepDue(state, t * 1000, good)) state = step(state, full, { at: t * 1000, good, gapMs, aheadMs, limited });
  };
  const report = (w: number, t: number) => { good += kept[w] ?? 0; kept[w] = 0; flushed[w] = t; };
  return {
    state: () => state,
    rate: () => rateNow(state),
    pausedUntil: () => state.pausedUntil / 1000,
    good(t, _sentAt, w) {
      kept[w] = (kept[w] ?? 0) + 1;
      if (t - (flushed[w] ?? 0) >= flush || state.phase === 'blocked') { report(w, t); run(t, []); }
    },
    limited(t, sentAt, retryAfter, w) {
      report(w, t);
      run(t, [{ sentAt: sentAt * 1000, retryAfterMs: retryAfter * 1000 }]);
    },
    tick: (t) => run(t, []),
    gap(total, ahead) { gapMs = total * 1000; aheadMs = ahead * 1000; },
  };
}

function random(seed: number): () => number {
  let a = seed;
  return () => {
    a |= 0;
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

type Happening = { t: number; kind: number; worker: number; sent: number; down: number; ok: boolean; wait: number; limit: number };

export type Scenario = {
  limiter: Limiter; sender: Sender; latency?: number; seconds?: number; changes?: readonly (readonly [number, number])[]; seed?: number;
  demand?: number; maxInFlight?: number; retryAfter?: boolean; workers?: number; ahead?: number; trace?: (t: number) => void;
};

const SEND = 0, ARRIVE = 1, ANSWER = 2, TICK = 3, CHANGE = 4, TAKE = 5;

export function simulate(o: Scenario): { part(from: number, to: number, limit: number): { used: number; limited: number } } {
  const { limiter, sender, latency = 0.1, seconds = 165, changes = [], seed = 1, demand = Infinity, maxInFlight = 400, retryAfter = false, workers = 1, ahead = 0 } = o;
  const rnd = random(seed);
  const q: Happening[] = [];
  const sentT: number[] = [];
  const sentOk: boolean[] = [];
  const put = (e: Happening) => {
    let i = q.push(e) - 1;
    for (; i > 0; ) { const p = (i - 1) >> 1; const x = q[p] as Happening; if (x.t <= e.t) break; q[i] = x; i = p; }
    q[i] = e;
  };
  const pop = (): Happening => {
    const e = q[0] as Happening; const l = q.pop() as Happening;
    if (q.length === 0) return e;
    let i = 0;
    for (;;) { let k = 2 * i + 1; if (k >= q.length) break; if (k + 1 < q.length && (q[k + 1] as Happening).t < (q[k] as Happening).t) k++; if ((q[k] as Happening).t >= l.t) break; q[i] = q[k] as Happening; i = k; }
    q[i] = l;
    return e;
  };
  const ev = (t: number, kind: number, more: Partial<Happening> = {}): Happening => ({ t, kind, worker: 0, sent: 0, down: 0, ok: false, wait: 0, limit: 0, ...more });
  let inFlight = 0, tat = 0, gap = 0, lastRate = sender.rate(), turn = 0, due = 0, takes = 0;
  const putTake = (at: number) => put(ev(at, TAKE, { limit: ++takes }));
  putTake(0); put(ev(0.25, TICK));
  for (const [at, lim] of changes) put(ev(at, CHANGE, { limit: lim }));
  let t = 0;
  const reclock = () => { const r = sender.rate(); if (r !== lastRate) { tat = tat - 1 / lastRate + 1 / r; lastRate = r; putTake(Math.max(t, sender.pausedUntil(), tat - ahead / 2)); } };
  while (q.length > 0) {
    const e = pop(); t = e.t; if (t > seconds) break;
    switch (e.kind) {
      case TICK: o.trace?.(t); if (inFlight > 0 || tat + 0.5 > t) { sender.gap?.(gap + Math.max(0, t - tat), Math.max(0, tat - t)); sender.tick(t); reclock(); } put(ev(t + 0.25, TICK)); break;
      case CHANGE: limiter.limit = e.limit; break;
      case TAKE: {
        if (e.limit !== takes) break;
        const p = sender.pausedUntil();
        if (t < p) { putTake(p); break; }
        if (inFlight >= maxInFlight) { putTake(t + 0.005); break; }
        if (demand < Infinity && due > t) { putTake(due); break; }
        reclock();
        if (tat > t + ahead + 1e-9) { putTake(tat - ahead / 2 > t ? tat - ahead / 2 : tat); break; }
        if (tat < t) { gap += t - tat; tat = t; }
        const w = turn++ % workers;
        do { if (demand < Infinity) due = Math.max(due, t - 1) + 1 / demand; put(ev(tat, SEND, { worker: w })); tat += 1 / lastRate; } while (ahead > 0 && tat <= t + ahead && demand === Infinity);
        sender.gap?.(gap, tat - t);
        putTake(Math.max(t, tat - ahead / 2));
        break;
      }
      case SEND: {
        inFlight++;
        const up = (latency / 2) * (0.7 + 0.6 * rnd());
        put(ev(t + up, ARRIVE, { sent: t, down: (latency / 2) * (0.7 + 0.6 * rnd()), worker: e.worker }));
        break;
      }
      case ARRIVE: {
        const ok = limiter.ok(t, inFlight);
        sentT.push(t); sentOk.push(ok);
        put(ev(t + e.down, ANSWER, { ok, sent: e.sent, worker: e.worker, wait: !ok && retryAfter ? limiter.retryAfter(t) : 0 }));
        break;
      }
      default: {
        inFlight--;
        sender.gap?.(gap + Math.max(0, t - tat), Math.max(0, tat - t));
        if (e.ok) sender.good(t, e.sent, e.worker); else sender.limited(t, e.sent, e.wait, e.worker);
        reclock();
      }
    }
  }
  const part = (from: number, to: number, limit: number) => {
    let n = 0, g = 0;
    for (let i = 0; i < sentT.length; i++) { const x = sentT[i] as number; if (x >= from && x < to) { n++; if (sentOk[i]) g++; } }
    return { used: g / ((to - from) * limit), limited: n > 0 ? (n - g) / n : 0 };
  };
  return { part };
}
