import { createScripts, type Redis } from '@pinegate/runtime';
import type { BudgetName } from './budget-settings.ts';

/** Singles have somebody waiting for them, bulk has not. */
export type PermitClass = 'singles' | 'bulk';
/** Singles are served first. */
export const CLASSES: readonly PermitClass[] = ['singles', 'bulk'];
export type PerClass<T> = Readonly<Record<PermitClass, T>>;

/** One budget's part of a call. Counts since the last call; `from` is the time of the first permit given back, ms. */
export type Want = {
  readonly budget: BudgetName;
  readonly start: number;
  readonly version: string;
  readonly good: number;
  readonly refused: number;
  readonly retryAfterMs: number;
  readonly unused: { readonly n: number; readonly from: number };
  readonly wanted: PerClass<number>;
};

export type TakeRequest = {
  readonly worker: string;
  readonly maxInFlight: number;
  readonly leaseMs: number;
  readonly inUse: PerClass<number>;
  /** Slots wanted, with those in use. */
  readonly slots: PerClass<number>;
  /** Permits had and not yet handed to anyone. */
  readonly stock: PerClass<number>;
  /** `+` answered, `-` unavailable, oldest first. */
  readonly outcomes: string;
  readonly probe: '' | '+' | '-' | '0';
  readonly wants: readonly Want[];
};

/** `count` permits, the first to be sent at `from` (Redis ms), the others at the budget's distance; `waitMs` for more, null = none wanted. */
export type Granted = { readonly count: number; readonly from: number; readonly waitMs: number | null };

export type BudgetReply = PerClass<Granted> & {
  readonly budget: BudgetName;
  readonly version: string;
  /** The controller's state as JSON; '' where the caller has this version already. */
  readonly state: string;
  readonly good: number;
  readonly gapMs: number;
  readonly aheadMs: number;
  readonly rate: number;
  readonly pausedUntil: number;
};

export type TakeReply = {
  readonly now: number;
  readonly pausedUntil: number;
  /** `probe`: the one permit of this reply is the probe. */
  readonly breaker: 'closed' | 'open' | 'half' | 'probe';
  readonly slots: PerClass<number>;
  /** When to ask again for slots, ms; null = there are some. */
  readonly slotsWaitMs: number | null;
  readonly budgets: readonly BudgetReply[];
};

export type Stored = { readonly done: boolean; readonly version: string; readonly state: string };

export type BudgetScripts = {
  take(request: TakeRequest): Promise<TakeReply>;
  /** Replaces a controller's state if it is still at `version`; else answers the version and state there are. */
  store(budget: BudgetName, version: string, state: string, rate: number, pausedUntil: number): Promise<Stored>;
};

const SCRIPTS = new URL('./lua/', import.meta.url);
const REPLY_HEAD = 6;
const REPLY_FIELDS = 13;

/** The only callers of take.lua and store.lua, for one account. */
export function createBudgetScripts(
  redis: Redis,
  keys: AccountKeys,
  replace: Readonly<Record<string, string>> | undefined,
): BudgetScripts {
  const scripts = createScripts(SCRIPTS, replace ? { replace } : {});
  return {
    async take(request) {
      const reply = await scripts.run(redis, 'take', [keys.budget, keys.slots], takeArgs(request));
      return parseTake(reply as (string | number)[], request.wants);
    },
    async store(budget, version, state, rate, pausedUntil) {
      const args = [budget, version, state, rate, pausedUntil];
      const [done, now, there] = (await scripts.run(redis, 'store', [keys.budget], args)) as [number, string, string?];
      return { done: done === 1, version: now, state: there ?? state };
    },
  };
}

export type AccountKeys = { readonly budget: string; readonly slots: string };

export function accountKeys(ns: string, account: string): AccountKeys {
  const budget = `{${ns}:${account}}:budget`;
  return { budget, slots: `${budget}:slots` };
}

function takeArgs(r: TakeRequest): (string | number)[] {
  const args: (string | number)[] = [r.worker, r.maxInFlight, r.leaseMs];
  for (const { singles, bulk } of [r.inUse, r.slots, r.stock]) args.push(singles, bulk);
  args.push(Math.random(), r.outcomes, r.probe);
  for (const w of r.wants) {
    args.push(w.budget, w.start, w.version, w.good, w.refused, Math.ceil(w.retryAfterMs));
    args.push(w.unused.n, w.unused.from, w.wanted.singles, w.wanted.bulk);
  }
  return args;
}

function parseTake(reply: readonly (string | number)[], wants: readonly Want[]): TakeReply {
  const number = (i: number) => Number(reply[i]);
  const waitMs = (i: number) => (number(i) < 0 ? null : number(i));
  const granted = (i: number): Granted => ({ count: number(i), from: number(i + 1), waitMs: waitMs(i + 2) });
  return {
    now: number(0),
    pausedUntil: number(1),
    breaker: reply[2] as TakeReply['breaker'],
    slots: { singles: number(3), bulk: number(4) },
    slotsWaitMs: waitMs(5),
    budgets: wants.map(({ budget }, k) => {
      const i = REPLY_HEAD + k * REPLY_FIELDS;
      return {
        budget,
        version: String(reply[i]),
        state: String(reply[i + 1]),
        good: number(i + 2),
        gapMs: number(i + 3),
        aheadMs: number(i + 4),
        rate: number(i + 5),
        pausedUntil: number(i + 6),
        singles: granted(i + 7),
        bulk: granted(i + 10),
      };
    }),
  };
}
