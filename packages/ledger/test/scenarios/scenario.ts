import type { TestLedger } from '../open-test-ledger.ts';
import type { LuaRule } from '../sabotage.ts';

/** What one rule of the protocol is for, told on a real ledger: it throws where the rule does not hold. */
export interface Scenario {
  readonly rule: LuaRule;
  readonly name: string;
  readonly run: (t: TestLedger) => Promise<void>;
}
