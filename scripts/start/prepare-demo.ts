import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Api } from './call-api.ts';
import type { DemoCookies } from './demo-secrets.ts';
import { StartProblem } from './start-problem.ts';

/** The authors of the scripts in examples/roster.csv. */
export const ACCOUNTS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  demo: ['PUB;4f1c0a6be2d94b7f8a35c6d7e8f90112', 'PUB;9b7e3d2158c64a0fb1e2d3c4a5968778'],
  second: ['PUB;c0d1e2f3a4b5468798a9bacbdcedfe0f'],
};

const WORLD = new URL('../../examples/roster-world.json', import.meta.url);
// The sandbox has no limit, and nobody wants to watch 2,000 rows for seven minutes.
const UNLIMITED = { start: null, adaptive: false };
const MAX_IN_FLIGHT = 100;
const LOOKS = 60;
const LOOK_MS = 1_000;

interface Member {
  readonly username: string;
  readonly expiration: string | null;
}

interface World {
  readonly users: readonly string[];
  readonly members: Readonly<Record<string, readonly Member[]>>;
}

interface Access {
  readonly username: string;
  readonly applied: { readonly state: string; readonly expiresAt: string | null };
}

/** Tells the sandbox which accounts there are, and how the users with capitals are spelled. */
export async function configureSandbox(api: Api, cookies: DemoCookies): Promise<void> {
  for (const [account, scripts] of Object.entries(ACCOUNTS)) {
    await api.sandbox('PUT', `/accounts/${account}`, { ...cookies[account], scripts });
  }
  await api.sandbox('POST', '/users', { registered: (await readWorld()).users });
}

export async function configureAccounts(api: Api): Promise<void> {
  const budgets = { grant: UNLIMITED, revoke: UNLIMITED, list: UNLIMITED, lookup: UNLIMITED };
  for (const [account, scripts] of Object.entries(ACCOUNTS)) {
    await api.rest('PUT', `/v1/accounts/${account}`, { body: { scripts, budgets, maxInFlight: MAX_IN_FLIGHT } });
  }
}

/**
 * The sandbox forgets when it ends, the ledger does not: gives it back the members the ledger knows, or at the first
 * start those that were there before Pinegate.
 */
export async function restoreSandbox(api: Api): Promise<void> {
  const world = await readWorld();
  for (const script of Object.values(ACCOUNTS).flat()) {
    const known = await readAccesses(api, script);
    const granted = known.filter(({ applied }) => applied.state === 'granted');
    const members = granted.map(({ username, applied }) => ({ username, expiration: applied.expiresAt }));
    const seeded = known.length > 0 ? members : (world.members[script] ?? []);
    if (seeded.length > 0) await api.sandbox('POST', '/members', { pine_id: script, members: seeded });
  }
}

async function readAccesses(api: Api, script: string): Promise<Access[]> {
  const found: Access[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const path: string = `/v1/scripts/${encodeURIComponent(script)}/access?limit=1000${query}`;
    const page: { items: Access[]; next: string | null } = await api.rest('GET', path);
    found.push(...page.items);
    cursor = page.next;
  }
  return found;
}

async function readWorld(): Promise<World> {
  return JSON.parse(await readFile(WORLD, 'utf8')) as World;
}

/** Posts the cookies, which a worker checks. Errors: `StartProblem` when an account does not become active. */
export async function activateAccounts(api: Api, cookies: DemoCookies): Promise<void> {
  await Promise.all(
    Object.keys(ACCOUNTS).map(async (account) => {
      let seen = await api.rest<AccountView>('PUT', `/v1/accounts/${account}/session`, { body: cookies[account] });
      // The answer waits for the check, but not for ever: a busy machine may need longer.
      for (let look = 0; seen.state !== 'active' && seen.session.state === 'unknown' && look < LOOKS; look += 1) {
        await delay(LOOK_MS);
        seen = await api.rest<AccountView>('GET', `/v1/accounts/${account}`);
      }
      if (seen.state !== 'active') {
        throw new StartProblem(`Account ${account} is ${seen.state}, its session ${seen.session.state}.`);
      }
    }),
  );
}

interface AccountView {
  readonly state: string;
  readonly session: { readonly state: string };
}
