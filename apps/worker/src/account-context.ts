import type { Budget } from '@pinegate/budget';
import type { AccountLedger, SessionResult } from '@pinegate/ledger';
import type { Session, TradingView } from '@pinegate/tradingview';
import type { Settler } from './create-settler.ts';
import type { SessionGate } from './session-gate.ts';
import type { WorkerEvents } from './worker-events.ts';

/** Everything the pipeline needs of one account. */
export interface AccountContext {
  readonly account: string;
  readonly ledger: AccountLedger;
  readonly budget: Budget;
  readonly upstream: TradingView;
  readonly settler: Settler;
  readonly events: WorkerEvents;
  /** Pine id of a script by its index; null when the account has lost it. */
  scriptOf(index: number): string | null;
  /** Nothing is claimed while it is closed. */
  readonly gate: Pick<SessionGate, 'open' | 'passed'>;
  /** Cookies in force; null while there are none, or nothing may be sent. */
  session(): Session | null;
  /** An answer looked as if this session were dead: one worker asks, and parks the account if it is. Never rejects. */
  suspectSession(session: Session): Promise<SessionResult>;
  /** What is known of a username without asking upstream: its canonical spelling, null = no such user; undefined = nothing. */
  knownSpelling(username: string): Promise<string | null | undefined>;
  /** Canonical spelling, or null when there is no such user; asks upstream where the cache does not know. Rejects when that failed. */
  lookUp(username: string, options: { readonly bulk: boolean; readonly maxWaitMs: number }): Promise<string | null>;
  /** Every write that was applied is to be read again. */
  verifiesWrites(): boolean;
  /** Tells the sweeper that a key is due at this Redis time, ms. */
  markDue(at: number): void;
  readonly limits: SendLimits;
  /** Local monotonic clock, ms. */
  monotonic(): number;
}

/** Times and switches of sending. */
export interface SendLimits {
  readonly leaseMs: number;
  readonly requestDeadlineMs: number;
  /** The upstream's switch: `modify` without an expiration makes a dated access a lifetime. */
  readonly modifyMakesLifetime: boolean;
}
