import type { Directory, SessionCookies } from '../directory-types.ts';
import { parseAccount } from './account-record.ts';
import { DirectoryError } from './directory-error.ts';
import type { DirectoryNames } from './directory-names.ts';
import type { DirectoryScripts } from './directory-scripts.ts';
import type { SecretBox } from './secret-box.ts';

/** `Directory.sessions`. Cookies leave this file sealed or not at all. */
export function buildSessions(scripts: DirectoryScripts, names: DirectoryNames, box: SecretBox): Directory['sessions'] {
  async function open(account: string): Promise<{ text: string; stale: boolean; postedAt: number } | null> {
    const stored = await scripts.redis.hget(names.sessions, account);
    if (stored === null) return null;
    const { postedAt, sealed } = parseStored(account, stored);
    const { text, stale } = box.open(account, sealed);
    // So that the previous key can be taken out of the configuration once every session has been read.
    if (stale) {
      const resealed = `${postedAt}:${box.seal(account, text)}`;
      await scripts.run('replace-field', [names.sessions], [account, stored, resealed]);
    }
    return { text, stale, postedAt };
  }

  return {
    async put(account, { sessionid, sessionidSign }) {
      const sealed = box.seal(account, JSON.stringify({ sessionid, sessionidSign }));
      const keys = [names.account(account), names.sessions, names.revision];
      const reply = await scripts.run('session-put', keys, [account, sealed]);
      return reply ? parseAccount(account, reply as readonly (string | null)[]) : null;
    },
    async get(account) {
      const opened = await open(account);
      return opened && { cookies: JSON.parse(opened.text) as SessionCookies, postedAt: opened.postedAt };
    },
    async reseal() {
      const resealed: string[] = [];
      for (const account of await scripts.redis.hkeys(names.sessions)) {
        if ((await open(account))?.stale) resealed.push(account);
      }
      return resealed;
    },
  };
}

function parseStored(account: string, stored: string): { postedAt: number; sealed: string } {
  const match = /^(\d+):(.+)$/.exec(stored);
  if (!match?.[2]) {
    throw new DirectoryError('RECORD_INVALID', `The session of account ${account} is not readable.`, { account });
  }
  return { postedAt: Number(match[1]), sealed: match[2] };
}
