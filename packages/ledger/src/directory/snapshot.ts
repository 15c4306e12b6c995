import type { Account, ScriptRoute } from '../directory-types.ts';
import { parseAccount } from './account-record.ts';
import type { DirectoryNames } from './directory-names.ts';
import type { DirectoryScripts } from './directory-scripts.ts';
import { parseRoute } from './script-route.ts';

/** Accounts and routes as they were at one moment. */
export interface SnapshotState {
  /** Ordered by id. */
  readonly accounts: readonly Account[];
  readonly routes: ReadonlyMap<string, ScriptRoute>;
}

/** This process's copy of all accounts and routes. */
export interface Snapshot {
  /** The copy, read again first when it is older than `maxAgeMs`. */
  state(maxAgeMs: number): Promise<SnapshotState>;
  /** The copy, read again in a call that begins now. */
  reload(): Promise<SnapshotState>;
}

type Reply = readonly [
  revision: string,
  accounts?: readonly (string | readonly (string | null)[])[],
  routes?: readonly string[],
];

/** `clock`: ms, monotonic. Calls that come while a read runs share it; a read asks for the revision only while nothing changes. */
export function buildSnapshot(scripts: DirectoryScripts, names: DirectoryNames, clock: () => number): Snapshot {
  let revision = '';
  let state: SnapshotState = { accounts: [], routes: new Map() };
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<SnapshotState> | null = null;

  async function read(): Promise<SnapshotState> {
    const begunAt = clock();
    const keys = [names.accounts, names.revision, names.scripts];
    const reply = (await scripts.run('snapshot', keys, [revision, names.account('')])) as Reply;
    if (reply[1] && reply[2]) state = parseState(reply[1], reply[2]);
    revision = reply[0];
    readAt = begunAt;
    return state;
  }

  function shared(): Promise<SnapshotState> {
    reading ??= read().finally(() => {
      reading = null;
    });
    return reading;
  }

  return {
    state: async (maxAgeMs) => (clock() - readAt > maxAgeMs ? shared() : state),
    async reload() {
      // One that runs may have begun before the change that the caller wants to see.
      if (reading) await reading.catch(() => undefined);
      return shared();
    },
  };
}

function parseState(accounts: NonNullable<Reply[1]>, routes: readonly string[]): SnapshotState {
  const parsed: Account[] = [];
  for (let i = 0; i < accounts.length; i += 2) {
    const account = parseAccount(accounts[i] as string, accounts[i + 1] as readonly (string | null)[]);
    if (account) parsed.push(account);
  }
  const map = new Map<string, ScriptRoute>();
  for (let i = 0; i < routes.length; i += 2) {
    const route = parseRoute(routes[i + 1]);
    if (route) map.set(routes[i] as string, route);
  }
  return { accounts: parsed.sort((a, b) => (a.id < b.id ? -1 : 1)), routes: map };
}
