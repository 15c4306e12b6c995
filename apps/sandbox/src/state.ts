import type { Account, AccountInput } from './accounts.ts';
import type { CounterValues } from './counters.ts';
import type { SandboxEvent } from './events.ts';
import type { PlannedFault } from './faults.ts';
import type { DeadSessionForm, Options, OptionsPatch } from './options.ts';
import type { Parts } from './parts.ts';
import { SandboxError } from './sandbox-error.ts';
import type { WritePage, WriteQuery } from './write-log.ts';

/** A member as the control API gives and takes it: ISO 8601, null = lifetime. */
export type MemberRecord = { readonly username: string; readonly expiration: string | null };

/** What a sandbox starts with, and goes back to on reset. */
export type Setup = {
  readonly accounts?: Readonly<Record<string, AccountInput>> | undefined;
  /** Canonical spellings. */
  readonly users?: readonly string[] | undefined;
  readonly missingUsers?: readonly string[] | undefined;
  /** By pine id. */
  readonly members?: Readonly<Record<string, readonly MemberRecord[]>> | undefined;
};

export type SandboxCounters = CounterValues & {
  readonly lateWritesPending: number;
  readonly members: number;
  /** CPU time of the whole process so far, and its memory: what a benchmark subtracts. */
  readonly process: { readonly cpuMs: number; readonly rssBytes: number };
};

/** Everything the control API can do, for tests in the same process. */
export type SandboxState = {
  options(): Options;
  /** Throws SandboxError `invalid_request` and changes nothing for an unknown key or a bad value. */
  configure(patch: OptionsPatch): Options;
  /** Forgets everything, late writes included, and goes back to the setup, the first options and the seed. */
  reset(): void;
  /** Creates or replaces the account; its session is alive. */
  putAccount(id: string, input: AccountInput): Account;
  accounts(): Account[];
  /** `form` left out = the option `deadSessionForm`. Throws `unknown_account`. */
  setSession(id: string, session: { readonly alive: boolean; readonly form?: DeadSessionForm | undefined }): Account;
  registerUsers(spellings: readonly string[]): void;
  markMissing(usernames: readonly string[]): void;
  /** Puts members in as they are, the spelling of each registered. Throws `invalid_request` for a bad date. */
  seedMembers(pineId: string, members: readonly MemberRecord[]): void;
  /** Everybody stored, expired or not, in the order they were first added. */
  members(pineId: string): MemberRecord[];
  writes(query?: WriteQuery): WritePage;
  counters(): SandboxCounters;
  planFault(planned: PlannedFault): void;
  /** Lands every held or delayed late write now; returns how many. */
  releaseLateWrites(): number;
  /** Returns the function that ends the subscription. */
  on(listener: (event: SandboxEvent) => void): () => void;
  /** The next event that satisfies the predicate: ask before causing it. */
  waitFor(wanted: (event: SandboxEvent) => boolean): Promise<SandboxEvent>;
};

export function buildState(parts: Parts, setup: Setup): SandboxState {
  const seeded = new Set<string>();

  function seedMembers(pineId: string, members: readonly MemberRecord[]): void {
    const rows = members.map(({ username, expiration }) => ({ username, expiration: parseDate(expiration) }));
    const list = parts.membersOf(pineId);
    seeded.add(pineId);
    const created = parts.now();
    // The open world spells them so anyway; a million entries would only cost memory.
    parts.usernames.register(
      rows.map((row) => row.username).filter((name) => parts.usernames.canonical(name) !== name),
    );
    for (const { username, expiration } of rows) list.put(username, expiration, created);
  }

  function applySetup(): void {
    for (const [id, account] of Object.entries(setup.accounts ?? {})) parts.accounts.put(id, account);
    parts.usernames.register(setup.users ?? []);
    parts.usernames.markMissing(setup.missingUsers ?? []);
    for (const [pineId, members] of Object.entries(setup.members ?? {})) seedMembers(pineId, members);
  }

  function countMembers(): number {
    const scripts = new Set([...seeded, ...parts.accounts.all().flatMap((account) => account.scripts)]);
    return [...scripts].reduce((sum, script) => sum + parts.membersOf(script).size, 0);
  }

  applySetup();
  return {
    options: () => parts.settings.current,
    configure: (patch) => parts.settings.configure(patch),
    reset() {
      parts.clear();
      seeded.clear();
      applySetup();
    },
    putAccount: (id, input) => parts.accounts.put(id, input),
    accounts: () => parts.accounts.all(),
    setSession: (id, { alive, form }) => parts.accounts.setSession(id, alive, form ?? null),
    registerUsers: (spellings) => parts.usernames.register(spellings),
    markMissing: (usernames) => parts.usernames.markMissing(usernames),
    seedMembers,
    members: (pineId) =>
      Array.from(parts.membersOf(pineId).all(), ({ username, expiration }) => ({
        username,
        expiration: expiration === null ? null : new Date(expiration).toISOString(),
      })),
    writes: (query = {}) => parts.writes.read(query),
    counters() {
      const { user, system } = process.cpuUsage();
      return {
        ...parts.counters.values,
        lateWritesPending: parts.lateWrites.pending,
        members: countMembers(),
        process: { cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() },
      };
    },
    planFault: (planned) => parts.faults.plan(planned),
    releaseLateWrites: () => parts.lateWrites.release(),
    on: parts.events.on,
    waitFor: parts.events.waitFor,
  };
}

function parseDate(text: string | null): number | null {
  if (text === null) return null;
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new SandboxError('invalid_request', `${text} is no date.`);
  return at;
}
