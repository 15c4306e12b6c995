import type { Account, Directory } from '../directory-types.ts';
import type { Epochs } from '../epoch/open-epochs.ts';
import { ACCOUNT_FIELDS, formatConfig, parseAccount } from './account-record.ts';
import { AUDIT_ENTRIES } from './audit.ts';
import { DirectoryError } from './directory-error.ts';
import type { DirectoryNames } from './directory-names.ts';
import type { DirectoryScripts } from './directory-scripts.ts';
import type { Snapshot } from './snapshot.ts';

type Values = readonly (string | null)[];

/** `Directory.accounts`. */
export function buildAccounts(
  scripts: DirectoryScripts,
  names: DirectoryNames,
  snapshot: Snapshot,
  epochs: Pick<Epochs, 'begin' | 'stamp'>,
): Directory['accounts'] {
  const changed = async (id: string, script: string, args: readonly (string | number)[]) => {
    const reply = await scripts.run(script, [names.account(id), names.revision], args);
    return reply ? parseAccount(id, reply as Values) : null;
  };
  return {
    list: async () => (await snapshot.reload()).accounts,
    get: async (id) => parseAccount(id, await scripts.redis.hmget(names.account(id), ...ACCOUNT_FIELDS)),
    async put(id, config) {
      const text = formatConfig(config);
      const wanted = [...new Set(config.scripts)];
      const keys = [names.accounts, names.account(id), names.scripts, names.indexes, names.revision];
      // Before the account is there: one that is there without an epoch has lost it.
      if ((await scripts.redis.exists(names.account(id))) === 0) await epochs.stamp(id, await epochs.begin(), null);
      const reply = (await scripts.run('account-put', keys, [id, text, wanted.length, ...wanted])) as
        | readonly ['taken', string, string]
        | readonly ['created' | 'replaced', Values];
      if (reply[0] === 'taken') throw scriptTaken(reply[1], reply[2]);
      await snapshot.reload();
      return { account: parseAccount(id, reply[1]) as Account, created: reply[0] === 'created' };
    },
    async remove(id) {
      const keys = [names.accounts, names.account(id), names.scripts, names.sessions, names.due, names.revision];
      const removed = (await scripts.run('account-remove', keys, [id])) === 1;
      if (removed) await snapshot.reload();
      return removed;
    },
    setState: (id, to, reason, from = []) => changed(id, 'account-set-state', [to, reason ?? '', from.length, ...from]),
    async setSession(id, state, postedAt) {
      const keys = [names.account(id), names.revision, names.audit];
      const reply = await scripts.run('account-set-session', keys, [state, postedAt, id, AUDIT_ENTRIES]);
      const account = reply ? parseAccount(id, reply as Values) : null;
      return account && { account, moved: (reply as Values)[ACCOUNT_FIELDS.length] === '1' };
    },
  };
}

function scriptTaken(script: string, account: string): DirectoryError {
  return new DirectoryError('SCRIPT_TAKEN', `Script ${script} belongs to account ${account}.`, { script, account });
}
