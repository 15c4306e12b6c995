import type { BudgetReader } from '@pinegate/budget';
import type { Flags } from '@pinegate/flags';
import type { Bells, Directory, EpochGuard, Epochs, Ledger } from '@pinegate/ledger';
import type { Logger, Metrics, Redis } from '@pinegate/runtime';
import type { ApiMetrics } from './api-metrics.ts';
import type { ReadingPool } from './batches/reading-pool.ts';
import type { SessionChecks } from './session-checks.ts';
import type { SettledEvents } from './settled-events.ts';
import type { UsernameChecks } from './username-checks.ts';

/** What the routes work with. */
export interface ApiContext {
  readonly log: Logger;
  /** For counters of requests. */
  readonly redis: Redis;
  readonly ns: string;
  /** Threads that read large uploads; null: they are read where all else is done. */
  readonly reading: ReadingPool | null;
  /** Addresses and networks of proxies whose X-Forwarded headers are believed. */
  readonly trustedProxies: readonly string[];
  readonly metrics: Metrics;
  readonly counters: ApiMetrics;
  readonly directory: Directory;
  readonly ledger: Ledger;
  readonly epoch: EpochGuard;
  readonly epochs: Epochs;
  readonly settled: SettledEvents;
  readonly usernames: UsernameChecks;
  readonly sessions: SessionChecks;
  /** Puts a refresh on the queue of the workers. */
  askRefresh(account: string, refresh: string): Promise<void>;
  readonly flags: Flags;
  readonly budgets: BudgetReader;
  /** Rings for what was written; never fails, since the sweeper rings where this did not. */
  ring(account: string, bells: Bells): Promise<void>;
  /** Errors: those of Redis when it does not answer. */
  ping(): Promise<void>;
  /** Redis is nearly full: nothing more may be written. */
  isFull(): boolean;
  /** ms since 1970. */
  now(): number;
}
