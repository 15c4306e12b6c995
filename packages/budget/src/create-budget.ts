import { createScripts, type Redis } from '@pinegate/runtime';

/** Budgets of an account; `lookup` pays for spellings. */
export type BudgetName = 'grant' | 'revoke' | 'list' | 'lookup';

/** What the budget does with each kind of call; times in ms. */
export interface BudgetSettings {
  /** Requests a second; null = unlimited. */
  readonly rates: Readonly<Record<BudgetName, number | null>>;
  /** Requests in flight over all workers of the account. */
  readonly maxInFlight: number;
}

/** What came of a request. `unsent` gives the permit back. */
export type RequestResult = 'ok' | 'limited' | 'unavailable' | 'uncertain' | 'unsent';

/** One request that has a permit. */
export interface PermittedRequest {
  /** Once; `retryAfterMs` with `limited`. */
  finish(result: RequestResult, detail?: { readonly retryAfterMs?: number | null }): void;
}

/** Permits in hand: each is started once, the rest released. */
export interface Permits {
  readonly count: number;
  start(): PermittedRequest;
  release(): void;
}

/** The upstream budget of one account in one process; its state is shared by all through Redis. */
export interface Budget {
  /** At least one permit and at most `n`, as many as may go now; null when aborted, closed, or not within `maxWaitMs`. */
  acquire(
    budget: BudgetName,
    n: number,
    options: { readonly bulk: boolean; readonly signal?: AbortSignal; readonly maxWaitMs?: number },
  ): Promise<Permits | null>;
  /** As last seen. */
  isBreakerOpen(): boolean;
  configure(settings: BudgetSettings): void;
  /** Wakes whoever waits and gives the slots back. Idempotent. */
  close(): Promise<void>;
}

export interface BudgetOptions {
  /** The caller's to close. */
  readonly redis: Redis;
  readonly ns: string;
  readonly account: string;
  /** Unique among the processes of the account. */
  readonly worker: string;
  readonly settings: BudgetSettings;
  /** Texts in place of `.lua` files, by name: tests replace `clock`. */
  readonly replace?: Readonly<Record<string, string>>;
}

// Longer than any request may take: slots of a dead worker are free after this.
const SLOT_MS = 30_000;
const PAUSE_MS = 1_000;

interface Waiter {
  readonly budget: BudgetName;
  readonly n: number;
  readonly bulk: boolean;
  readonly resolve: (permits: Permits | null) => void;
  done: boolean;
}

/** Opens the budget of an account. No I/O before the first `acquire`. */
export function createBudget(options: BudgetOptions): Budget {
  const { redis, ns, account, worker, replace } = options;
  const scripts = createScripts(new URL('./lua/', import.meta.url), replace ? { replace } : {});
  const key = `{${ns}:${account}}:budget`;
  let settings = options.settings;
  let open = false;
  let closed = false;
  const report = createReport(async (freed, good, failed, refused, pauseMs, unused) => {
    const args = [worker, freed, good, failed, refused, pauseMs, SLOT_MS, ...unused];
    open = (await scripts.run(redis, 'give', [key], args)) === 1;
    for (const line of lines.values()) line.wake();
  });
  // Those who wait for one budget in one class stand in one line, so that each line has one call and one timer.
  const lines = new Map<string, Line>();

  async function take(w: Waiter): Promise<{ readonly granted: number; readonly waitMs: number }> {
    const rate = settings.rates[w.budget] ?? '';
    const args = [worker, w.budget, w.n, w.bulk ? 1 : 0, rate, settings.maxInFlight, SLOT_MS];
    const [granted, waitMs, isOpen] = (await scripts.run(redis, 'take', [key], args)) as [number, number, number];
    open = isOpen === 1;
    return { granted, waitMs };
  }

  function lineOf(budget: BudgetName, bulk: boolean): Line {
    const name = `${budget} ${bulk}`;
    let line = lines.get(name);
    if (!line) {
      line = createLine(take, (w, granted) => hold(w.budget, granted, report));
      lines.set(name, line);
    }
    return line;
  }

  return {
    acquire(budget, n, { bulk, signal, maxWaitMs }) {
      if (closed || signal?.aborted || n < 1) return Promise.resolve(null);
      return new Promise((resolve) => {
        const line = lineOf(budget, bulk);
        const end = (permits: Permits | null) => {
          signal?.removeEventListener('abort', giveUp);
          clearTimeout(timer);
          resolve(permits);
        };
        const waiter: Waiter = { budget, n, bulk, resolve: end, done: false };
        const giveUp = () => line.leave(waiter);
        const timer = maxWaitMs === undefined ? undefined : setTimeout(giveUp, maxWaitMs);
        signal?.addEventListener('abort', giveUp, { once: true });
        line.join(waiter);
      });
    },
    isBreakerOpen: () => open,
    configure(next) {
      settings = next;
      for (const line of lines.values()) line.wake();
    },
    async close() {
      closed = true;
      for (const line of lines.values()) line.clear();
      await report.flush();
    },
  };
}

interface Line {
  join(waiter: Waiter): void;
  leave(waiter: Waiter): void;
  wake(): void;
  clear(): void;
}

function createLine(
  take: (w: Waiter) => Promise<{ readonly granted: number; readonly waitMs: number }>,
  hold: (w: Waiter, granted: number) => Permits,
): Line {
  const waiting: Waiter[] = [];
  let running = false;
  let woken = false;
  let wakeUp: (() => void) | undefined;

  const finish = (w: Waiter, permits: Permits | null) => {
    const at = waiting.indexOf(w);
    if (at >= 0) waiting.splice(at, 1);
    if (w.done) return permits?.release();
    w.done = true;
    w.resolve(permits);
  };

  async function pause(ms: number): Promise<void> {
    if (woken) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    wakeUp = undefined;
  }

  async function run(): Promise<void> {
    running = true;
    for (let head = waiting[0]; head; head = waiting[0]) {
      woken = false;
      // Redis is away: nobody may send, and trying again soon is all there is.
      const { granted, waitMs } = await take(head).catch(() => ({ granted: 0, waitMs: PAUSE_MS }));
      if (granted > 0) finish(head, hold(head, granted));
      else if (!head.done) await pause(waitMs);
    }
    running = false;
  }

  return {
    join(waiter) {
      waiting.push(waiter);
      if (!running) void run();
    },
    leave(waiter) {
      finish(waiter, null);
      wakeUp?.();
    },
    wake() {
      woken = true;
      wakeUp?.();
    },
    clear() {
      for (const waiter of [...waiting]) finish(waiter, null);
      wakeUp?.();
    },
  };
}

function hold(budget: BudgetName, count: number, report: Report): Permits {
  let left = count;
  return {
    count,
    start() {
      if (left < 1) throw new RangeError('more requests started than permits held');
      left -= 1;
      let finished = false;
      return {
        finish(result, detail) {
          if (finished) return;
          finished = true;
          report.add(budget, result, detail?.retryAfterMs ?? null);
        },
      };
    },
    release() {
      for (; left > 0; left -= 1) report.add(budget, 'unsent', null);
    },
  };
}

interface Report {
  add(budget: BudgetName, result: RequestResult, retryAfterMs: number | null): void;
  flush(): Promise<void>;
}

type Send = (
  freed: number,
  good: number,
  failed: number,
  refused: number,
  pauseMs: number,
  unused: readonly (string | number)[],
) => Promise<void>;

/** Gathers results while one call is under way: no timer, one call for all that ended meanwhile. */
function createReport(send: Send): Report {
  let freed = 0;
  let good = 0;
  let failed = 0;
  let refused = 0;
  let pauseMs = 0;
  let unused = new Map<BudgetName, number>();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (freed > 0) {
      const args = [freed, good, failed, refused, pauseMs] as const;
      const back = [...unused].flat();
      freed = good = failed = refused = pauseMs = 0;
      unused = new Map();
      // What could not be reported is freed when the slots run out.
      await send(...args, back).catch(() => {});
    }
    running = undefined;
  }

  return {
    add(budget, result, retryAfterMs) {
      freed += 1;
      if (result === 'ok') good += 1;
      if (result === 'unavailable' || result === 'uncertain') failed += 1;
      if (result === 'unsent') unused.set(budget, (unused.get(budget) ?? 0) + 1);
      if (result === 'limited') {
        refused += 1;
        pauseMs = Math.max(pauseMs, retryAfterMs ?? PAUSE_MS);
      }
      running ??= run();
    },
    async flush() {
      await running;
    },
  };
}
