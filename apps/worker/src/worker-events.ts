import type { Lane } from '@pinegate/access';
import type { BudgetName } from '@pinegate/budget';
import type { CacheResult, EndedOperation, EpochEvents } from '@pinegate/ledger';
import type { Observation } from '@pinegate/tradingview';
import type { SessionReport } from './check-session.ts';
import type { ChunkReport } from './work-chunk.ts';

/** What a job did, for its one log line. */
export interface WorkedChunk {
  readonly account: string;
  readonly lane: Lane;
  readonly job: string;
  readonly chunk: string;
  /** Of bulk lanes the batch, of single lanes the API key. */
  readonly turn: string;
  /** Numbers of the parts whose operations were in it. */
  readonly parts: readonly number[];
  readonly report: ChunkReport;
  readonly ms: number;
}

/** What happens in a worker; metrics and logs subscribe here and nowhere else. */
export interface WorkerEvents extends EpochEvents {
  ended(account: string, operations: readonly EndedOperation[]): void;
  request(observation: Observation): void;
  /** A job has ended with its chunk worked on. */
  worked(work: WorkedChunk): void;
  /** A write that had to be corrected after its window. */
  verified(account: string, result: 'agrees' | 'differs'): void;
  /** Permits were given after so many ms. */
  permitted(account: string, budget: BudgetName, count: number, waitedMs: number): void;
  /** Lapsed claims of others were taken over. */
  tookOver(account: string, count: number): void;
  /** A settle found its claim gone. */
  lost(account: string): void;
  sessionChecked(account: string, report: SessionReport): void;
  /** Cookies have been in use for so long that they may end soon. */
  sessionOld(account: string, ageMs: number): void;
  /** A refresh is over: `done`, or why it failed. */
  refreshed(account: string, result: string): void;
  cacheAsked(result: CacheResult): void;
  swept(account: string, moved: number, rung: number): void;
}
