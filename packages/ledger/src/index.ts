export type { AccessStatus, AccountLedger, LedgerTimes } from './account-ledger.ts';
export { type BatchProgress, readBatchParts, sumParts } from './batch-progress.ts';
export { NotReplicatedError, type Replication } from './create-replicated-calls.ts';
export type { AuditFilter, AuditLog } from './directory/audit.ts';
export {
  AUDIT_ACTIONS,
  AUDIT_RESULTS,
  type AuditAction,
  type AuditEntry,
  type AuditRecord,
  type AuditResult,
  type AuditState,
} from './directory/audit-entry.ts';
export { DirectoryError } from './directory/directory-error.ts';
export { type DirectoryOptions, openDirectory } from './directory/open-directory.ts';
export { type DirectoryNews, watchDirectory } from './directory/watch-directory.ts';
export type {
  Account,
  AccountConfig,
  AccountState,
  ApiKey,
  BatchRecord,
  BudgetConfig,
  Checkpoint,
  Directory,
  IdempotencyVerdict,
  KeySettings,
  ListedKey,
  Rejection,
  Scope,
  ScriptRoute,
  SessionCookies,
  SessionResult,
} from './directory-types.ts';
export { checkSchema } from './epoch/check-schema.ts';
export { createEpochGuard, type EpochEvents, type EpochGuard, type EpochMemory } from './epoch/create-epoch-guard.ts';
export type { AccountEpoch, DirectoryEpoch, EpochRecord } from './epoch/epoch-record.ts';
export { type Epochs, openEpochs } from './epoch/open-epochs.ts';
export type { Asked, HistoryRecord } from './history-record.ts';
export { type Ledger, type LedgerOptions, openLedger } from './open-ledger.ts';
export { type RedriveParts, redriveBatch } from './redrive-batch.ts';
export {
  DRIFT_KINDS,
  type DriftKind,
  type Refreshes,
  type RefreshMode,
  type RefreshNote,
  type RefreshRun,
  type RefreshTaken,
} from './refresh-types.ts';
export type {
  AccessRecord,
  Bells,
  CallBudget,
  Chunk,
  Claimed,
  ClaimedWork,
  Contributor,
  Drift,
  EndedCount,
  EndedOperation,
  FailureRecord,
  LaneClass,
  LedgerSummary,
  ListedMember,
  Page,
  PartRecord,
  PartRef,
  RecentFailure,
  Redriven,
  Settled,
  Settlement,
  SubmitResult,
  SubmitRow,
} from './types.ts';
export {
  type CacheResult,
  openUsernameCache,
  type UsernameCache,
  type UsernameCacheOptions,
} from './username-cache.ts';
