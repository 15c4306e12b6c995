export type { Account, AccountInput } from './accounts.ts';
export type { AccountCounters, CounterValues } from './counters.ts';
export { createSandbox, type Sandbox, type SandboxInput } from './create-sandbox.ts';
export type { SandboxEvent } from './events.ts';
export type { PlannedFault } from './faults.ts';
export {
  DEAD_SESSION_FORMS,
  type DeadSessionForm,
  ENDPOINTS,
  type Endpoint,
  FAULTS,
  type Fault,
  type FaultRates,
  type Latency,
  type Limit,
  type Options,
  type OptionsPatch,
} from './options.ts';
export { SandboxError, type SandboxErrorCode } from './sandbox-error.ts';
export type { MemberRecord, SandboxCounters, SandboxState, Setup } from './state.ts';
export type { WriteEntry, WriteOp, WritePage, WriteQuery, WriteResult } from './write-log.ts';
