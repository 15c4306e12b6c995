import type { DeadSessionForm } from './options.ts';
import { SandboxError } from './sandbox-error.ts';

export type AccountInput = {
  readonly sessionid: string;
  /** Where it is set, every call must carry it. */
  readonly sessionidSign?: string | null | undefined;
  readonly scripts?: readonly string[] | undefined;
  /** What `/accounts/signin/` accepts. */
  readonly login?: { readonly username: string; readonly password: string } | null | undefined;
};

export type Account = {
  readonly id: string;
  readonly sessionid: string;
  readonly sessionidSign: string | null;
  readonly scripts: readonly string[];
  readonly login: { readonly username: string; readonly password: string } | null;
  readonly session: { readonly alive: boolean; readonly form: DeadSessionForm | null };
};

/** The authors who are logged in, or were. */
export type Accounts = {
  /** Creates or replaces; its session is alive afterwards. Throws `session_taken` or `script_taken`. */
  put(id: string, input: AccountInput): Account;
  get(id: string): Account | undefined;
  all(): Account[];
  /** `form` null = the sandbox's default form. Throws `unknown_account`. */
  setSession(id: string, alive: boolean, form?: DeadSessionForm | null): Account;
  /** The account a Cookie header belongs to, its session alive or dead. */
  ofCookies(header: string | undefined): { account: Account; signed: boolean } | null;
  ofLogin(username: string): Account | undefined;
  clear(): void;
};

export function buildAccounts(): Accounts {
  const accounts = new Map<string, Account>();
  const bySession = new Map<string, string>();

  function refuseTaken(id: string, input: AccountInput): void {
    if ((bySession.get(input.sessionid) ?? id) !== id) {
      throw new SandboxError('session_taken', 'Another account has this sessionid.');
    }
    for (const other of accounts.values()) {
      const shared = other.id !== id && input.scripts?.find((script) => other.scripts.includes(script));
      if (shared) throw new SandboxError('script_taken', `${shared} belongs to the account ${other.id}.`);
    }
  }

  return {
    put(id, input) {
      refuseTaken(id, input);
      const old = accounts.get(id);
      if (old) bySession.delete(old.sessionid);
      const account: Account = {
        id,
        sessionid: input.sessionid,
        sessionidSign: input.sessionidSign ?? null,
        scripts: [...new Set(input.scripts ?? [])],
        login: input.login ?? null,
        session: { alive: true, form: null },
      };
      accounts.set(id, account);
      bySession.set(account.sessionid, id);
      return account;
    },
    get: (id) => accounts.get(id),
    all: () => [...accounts.values()],
    setSession(id, alive, form = null) {
      const account = accounts.get(id);
      if (!account) throw new SandboxError('unknown_account', `There is no account ${id}.`);
      const changed = { ...account, session: { alive, form: alive ? null : form } };
      accounts.set(id, changed);
      return changed;
    },
    ofCookies(header) {
      if (header === undefined) return null;
      const account = accounts.get(bySession.get(readCookie(header, 'sessionid') ?? '') ?? '');
      if (!account) return null;
      const { sessionidSign } = account;
      return { account, signed: sessionidSign === null || readCookie(header, 'sessionid_sign') === sessionidSign };
    },
    ofLogin: (username) =>
      [...accounts.values()].find((account) => account.login?.username.toLowerCase() === username.toLowerCase()),
    clear() {
      accounts.clear();
      bySession.clear();
    },
  };
}

function readCookie(header: string, name: string): string | undefined {
  for (const part of header.split(';')) {
    const text = part.trim();
    if (text.startsWith(name) && text[name.length] === '=') return text.slice(name.length + 1);
  }
  return undefined;
}
