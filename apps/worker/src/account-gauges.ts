import { LANES } from '@pinegate/access';
import type { BudgetReader, BudgetReading } from '@pinegate/budget';
import type { Account, Directory, Ledger, LedgerSummary } from '@pinegate/ledger';
import type { GaugeMetric, Logger, Metrics } from '@pinegate/runtime';

/** What the gauges read. */
export interface GaugeSources {
  readonly directory: Pick<Directory, 'accounts'> & { readonly idempotency: Pick<Directory['idempotency'], 'kept'> };
  readonly ledger: Ledger;
  readonly budgets: BudgetReader;
  /** Only one process of all may say how an account stands, or a sum over processes would count it several times. */
  isLeading(): boolean;
  /** Bytes in use and at most, 0 = no limit. */
  readMemory(): Promise<{ readonly used: number; readonly max: number }>;
  now(): number;
}

interface Reading {
  readonly accounts: readonly AccountReading[];
  readonly memory: { readonly used: number; readonly max: number };
  readonly idempotencyKeys: number;
}

interface AccountReading {
  readonly account: Account;
  readonly summary: LedgerSummary;
  readonly budget: BudgetReading;
}

const READ_MS = 1_500;
const STATES = ['active', 'parked', 'paused'] as const;
const BUDGETS = ['grant', 'revoke', 'list', 'lookup'] as const;

/**
 * Gauges of every account, exported by the worker that leads and by no other, so that `sum` over all processes is right. They are read when
 * they are asked for: one reading a scrape, whatever the number of gauges. Without an answer from Redis the scrape goes on without them.
 */
export function createAccountGauges(metrics: Metrics, sources: GaugeSources, log: Logger): void {
  let reading: Promise<Reading | null> | undefined;
  const read = (): Promise<Reading | null> => {
    reading ??= readInTime(sources)
      .catch((err: unknown) => {
        log.warn({ err }, 'the accounts could not be read for the metrics');
        return null;
      })
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
  function gauge<L extends string = never>(
    described: { readonly name: string; readonly help: string; readonly labels?: readonly L[] },
    fill: (gauge: GaugeMetric<L>, reading: Reading) => void,
  ): void {
    metrics.gauge({
      ...described,
      async collect(own) {
        const known = await read();
        own.reset();
        if (known) fill(own, known);
      },
    });
  }
  metrics.gauge({
    name: 'pinegate_leader',
    help: '1 in the worker that leads: it sweeps, and exports the gauges of the accounts.',
    collect: (own) => own.set({}, sources.isLeading() ? 1 : 0),
  });
  addWorkGauges(gauge);
  addBudgetGauges(gauge);
  addStateGauges(gauge, sources.now);
}

type AddGauge = <L extends string = never>(
  described: { readonly name: string; readonly help: string; readonly labels?: readonly L[] },
  fill: (gauge: GaugeMetric<L>, reading: Reading) => void,
) => void;

function addWorkGauges(gauge: AddGauge): void {
  const labels = ['account', 'lane'] as const;
  gauge({ name: 'pinegate_pending', help: 'Operations that have not settled.', labels }, (own, { accounts }) => {
    for (const { account, summary } of accounts) {
      for (const lane of LANES) own.set({ account: account.id, lane }, summary.pending[lane]);
    }
  });
  const help = 'How long the batch or operation that waits longest has had something pending; 0 where nothing is.';
  gauge({ name: 'pinegate_oldest_wait_seconds', help, labels }, (own, { accounts }) => {
    for (const { account, summary } of accounts) {
      for (const lane of LANES) own.set({ account: account.id, lane }, waitSeconds(summary, lane));
    }
  });
}

function addBudgetGauges(gauge: AddGauge): void {
  const rate = {
    name: 'pinegate_budget_rate',
    help: 'Requests a second that the budget allows, as learned; +Inf where it is unlimited.',
    labels: ['account', 'budget'] as const,
  };
  gauge(rate, (own, { accounts }) => {
    for (const { account, budget: read } of accounts) {
      for (const budget of BUDGETS) {
        const allowed = read.rates[budget] ?? account.budgets[budget].start ?? Number.POSITIVE_INFINITY;
        own.set({ account: account.id, budget }, allowed);
      }
    }
  });
  const perAccount = (name: string, help: string, value: (reading: BudgetReading) => number) =>
    gauge({ name, help, labels: ['account'] as const }, (own, { accounts }) => {
      for (const { account, budget } of accounts) own.set({ account: account.id }, value(budget));
    });
  perAccount('pinegate_in_flight', 'Requests to TradingView under way.', (budget) => budget.inFlight);
  perAccount(
    'pinegate_budget_paused_seconds',
    'How long nobody may send any more, after a 429.',
    (budget) => budget.pausedMs / 1_000,
  );
  perAccount('pinegate_breaker_open', '1 while the breaker is open: TradingView is down.', (budget) =>
    budget.breakerOpen ? 1 : 0,
  );
}

function addStateGauges(gauge: AddGauge, now: () => number): void {
  const state = { name: 'pinegate_account_state', help: '1 for the state the account is in, 0 for the others.' };
  gauge({ ...state, labels: ['account', 'state'] as const }, (own, { accounts }) => {
    for (const { account } of accounts) {
      for (const one of STATES) own.set({ account: account.id, state: one }, account.state === one ? 1 : 0);
    }
  });
  const age = { name: 'pinegate_session_age_seconds', help: 'Since the cookies in force were posted.' };
  gauge({ ...age, labels: ['account'] as const }, (own, { accounts }) => {
    for (const { account } of accounts) {
      const { postedAt } = account.session;
      if (postedAt !== null) own.set({ account: account.id }, Math.max(0, now() - postedAt) / 1_000);
    }
  });
  gauge({ name: 'pinegate_redis_memory_used_bytes', help: 'Memory that Redis uses.' }, (own, { memory }) =>
    own.set({}, memory.used),
  );
  gauge({ name: 'pinegate_redis_memory_max_bytes', help: 'maxmemory of Redis; 0: no limit.' }, (own, { memory }) =>
    own.set({}, memory.max),
  );
  const kept = 'Requests under an Idempotency-Key that are kept with their answer, until RETENTION_DAYS have passed.';
  gauge({ name: 'pinegate_idempotency_keys', help: kept }, (own, { idempotencyKeys }) => own.set({}, idempotencyKeys));
}

/** How long the lane has had something pending, s; both times are of one clock. */
function waitSeconds({ waitingSince, now }: LedgerSummary, lane: keyof LedgerSummary['pending']): number {
  const since = waitingSince[lane];
  return since === null ? 0 : Math.max(0, now - since) / 1_000;
}

async function readInTime(sources: GaugeSources): Promise<Reading | null> {
  if (!sources.isLeading()) return null;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('Redis did not answer in time')), READ_MS);
  });
  try {
    return await Promise.race([readAll(sources), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function readAll({ directory, ledger, budgets, readMemory }: GaugeSources): Promise<Reading> {
  const accounts = await directory.accounts.list();
  const [memory, idempotencyKeys, ...read] = await Promise.all([
    readMemory(),
    directory.idempotency.kept(),
    ...accounts.map(async (account) => {
      const [summary, budget] = await Promise.all([ledger.account(account.id).summary(), budgets.read(account.id)]);
      return { account, summary, budget };
    }),
  ]);
  return { memory, idempotencyKeys, accounts: read };
}
