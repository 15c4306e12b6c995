import type { AccountLedger } from '../../src/index.ts';
import type { Checker } from './checker.ts';
import type { EventLoop } from './event-loop.ts';
import type { Switches, Upstream, User } from './upstream.ts';

/** What the actors of one history share. */
export interface World {
  readonly loop: EventLoop;
  readonly ledger: AccountLedger;
  readonly checker: Checker;
  readonly upstream: Upstream;
  readonly switches: Switches;
  readonly dropped: ReadonlySet<string>;
  readonly chaos: { on: boolean };
  readonly users: ReadonlyMap<string, User>;
  readonly trace: (text: string) => void;
}
