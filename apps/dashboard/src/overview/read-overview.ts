import type { Lane, Outcome } from '@pinegate/access';
import { LANES } from '@pinegate/access';
import type { BudgetReader, BudgetReading } from '@pinegate/budget';
import { type Account, type Directory, type Ledger, readBatchParts, sumParts } from '@pinegate/ledger';

/** What an operator sees first: plain data, from which the page and the text are made. */
export interface Overview {
  /** ms since 1970. */
  readonly at: number;
  readonly accounts: readonly AccountOverview[];
  readonly batches: readonly BatchOverview[];
  /** Newest first. */
  readonly failures: readonly FailureOverview[];
}

export interface AccountOverview {
  readonly id: string;
  readonly state: Account['state'];
  readonly reason: string | null;
  readonly session: Account['session'];
  readonly scripts: number;
  readonly lanes: Readonly<Record<Lane, { readonly pending: number; readonly waitSeconds: number }>>;
  /** Operations of batches that settle, a second. */
  readonly settlingPerSecond: number;
  /** Requests a second that the budget allows; null = unlimited. */
  readonly rates: BudgetReading['rates'];
  readonly inFlight: number;
  readonly maxInFlight: number;
  readonly pausedMs: number;
  readonly breakerOpen: boolean;
}

export interface BatchOverview {
  readonly id: string;
  readonly state: string;
  readonly total: number;
  readonly pending: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly ratePerSecond: number;
  readonly etaSeconds: number | null;
}

export interface FailureOverview {
  readonly account: string;
  /** Pine id, or `#<index>` of one that the account has lost. */
  readonly script: string;
  readonly username: string;
  readonly outcome: 'rejected' | 'failed';
  readonly code: string;
  readonly at: number;
  /** Batch id or operation id. */
  readonly part: string;
  readonly kind: 'single' | 'batch';
  /** Something of its part is failed, and may be tried again. */
  readonly redrivable: boolean;
}

/** What the overview is read from. */
export interface OverviewSources {
  readonly directory: Directory;
  readonly ledger: Ledger;
  readonly budgets: BudgetReader;
  now(): number;
}

const BATCHES = 50;
const FAILURES = 20;
const BUDGETS = ['grant', 'revoke', 'list', 'lookup'] as const;

/** Reads all of it; whoever asks while it is being read gets the same. */
export function buildOverviewReader(sources: OverviewSources): () => Promise<Overview> {
  let reading: Promise<Overview> | undefined;
  return () => {
    reading ??= readOverview(sources).finally(() => {
      reading = undefined;
    });
    return reading;
  };
}

async function readOverview(sources: OverviewSources): Promise<Overview> {
  const { directory, now } = sources;
  const known = await directory.accounts.list();
  const read = await Promise.all(known.map((account) => readAccount(sources, account)));
  const open = [...new Set(read.flatMap(({ openBatches }) => openBatches))].slice(0, BATCHES);
  const failures = read.flatMap((one) => one.failures).sort((a, b) => b.at - a.at);
  return {
    at: now(),
    accounts: read.map(({ account }) => account),
    batches: await readBatches(sources, open),
    failures: failures.slice(0, FAILURES),
  };
}

async function readAccount({ directory, ledger, budgets }: OverviewSources, account: Account) {
  const { id, state, reason, session, scripts, maxInFlight } = account;
  const own = ledger.account(id);
  const [summary, budget, openBatches, recent] = await Promise.all([
    own.summary(),
    budgets.read(id),
    own.openBatches(BATCHES),
    own.recentFailures(),
  ]);
  const lanes = Object.fromEntries(
    LANES.map((lane) => {
      const since = summary.waitingSince[lane];
      const waitSeconds = since === null ? 0 : Math.max(0, summary.now - since) / 1_000;
      return [lane, { pending: summary.pending[lane], waitSeconds }];
    }),
  ) as AccountOverview['lanes'];
  const rates = Object.fromEntries(
    BUDGETS.map((name) => [name, budget.rates[name] ?? account.budgets[name].start]),
  ) as AccountOverview['rates'];
  const parts = await own.readParts([...new Set([...openBatches, ...recent.map(({ part }) => part)])]);
  const failed = new Set(parts.flatMap((part) => (part && part.outcomes.failed > 0 ? [part.id] : [])));
  const settling = parts.reduce((sum, part) => sum + (part && part.pending > 0 ? part.ratePerSecond : 0), 0);
  const failures = recent.map(async ({ script, username, outcome, code, at, part, kind }): Promise<FailureOverview> => {
    const name = (await directory.scripts.nameOf(id, script)) ?? `#${script}`;
    const redrivable = outcome === 'failed' && failed.has(part);
    return { account: id, script: name, username, outcome, code, at, part, kind, redrivable };
  });
  const { inFlight, pausedMs, breakerOpen } = budget;
  const use = {
    settlingPerSecond: Math.round(settling * 10) / 10,
    rates,
    inFlight,
    maxInFlight,
    pausedMs,
    breakerOpen,
  };
  return {
    account: { id, state, reason, session, scripts: scripts.length, lanes, ...use },
    openBatches,
    failures: await Promise.all(failures),
  };
}

async function readBatches({ directory, ledger }: OverviewSources, ids: readonly string[]): Promise<BatchOverview[]> {
  const records = (await Promise.all(ids.map((id) => directory.batches.get(id)))).filter((record) => record !== null);
  const parts = await readBatchParts(ledger, records);
  return records.map((record) => ({ id: record.id, ...sumParts(record, parts.get(record.id) ?? []) }));
}
