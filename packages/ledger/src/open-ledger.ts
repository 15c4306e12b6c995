import { createScripts, type Redis } from '@pinegate/runtime';
import type { AccountLedger, LedgerTimes } from './account-ledger.ts';
import { createAccountLedger, type RunSafe } from './create-account-ledger.ts';
import { createReplicatedCalls, type Replication } from './create-replicated-calls.ts';
import type { EpochMemory } from './epoch/create-epoch-guard.ts';

/** What `openLedger` needs. */
export interface LedgerOptions {
  /** The caller's connection, and the caller's to close. */
  readonly redis: Redis;
  /** First part of every key; `pinegate` outside tests. */
  readonly ns: string;
  readonly times: LedgerTimes;
  /** What the tags must carry before a write is armed in them; without it they are not asked, as for reading only. */
  readonly epoch?: EpochMemory;
  /** Where replicas must acknowledge what a fail-over must not lose (protocol.md, replicas); without it nobody waits. */
  readonly replication?: Replication;
  /** Texts to use instead of `.lua` files, by name: tests replace `clock`. */
  readonly replace?: Readonly<Record<string, string>>;
}

/** The ledgers of all accounts over one connection. */
export interface Ledger {
  /** The ledger of an account; the same object each time. */
  account(id: string): AccountLedger;
}

/** Opens the ledger. No I/O happens before the first call. */
export function openLedger({ redis, ns, times, epoch, replication, replace }: LedgerOptions): Ledger {
  const scripts = createScripts(new URL('./lua/', import.meta.url), replace ? { replace } : {});
  const replicated = replication ? createReplicatedCalls(replication) : null;
  const accounts = new Map<string, AccountLedger>();
  return {
    account(id) {
      let ledger = accounts.get(id);
      if (!ledger) {
        const tag = `{${ns}:${id}}`;
        const keys = [`${tag}:ledger`];
        const run = (name: string, args: readonly (string | number)[]) => scripts.run(redis, name, keys, args);
        const runSafe: RunSafe = (name, args, mustWait) =>
          replicated ? replicated((own) => scripts.run(own, name, keys, args), mustWait) : run(name, args);
        ledger = createAccountLedger({ account: id, tag, redis, run, runSafe, times, epoch });
        accounts.set(id, ledger);
      }
      return ledger;
    },
  };
}
