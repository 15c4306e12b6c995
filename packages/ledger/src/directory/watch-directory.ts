import type { Redis } from '@pinegate/runtime';
import type { SessionResult } from '../directory-types.ts';
import { directoryNames } from './directory-names.ts';

/** What is told to all processes at once. */
export type DirectoryNews =
  /** Some account changed, was added or removed; or news may have been missed. */
  | { readonly kind: 'changed' }
  /** A worker process began, ended or was given up. */
  | { readonly kind: 'workers' }
  /** An account's session is suspect: nobody sends for it until the news of the check, or for 20 s. */
  | { readonly kind: 'suspect'; readonly account: string }
  | { readonly kind: 'checked'; readonly account: string; readonly result: SessionResult };

/**
 * Listens to what changes in the directory. News may be lost with a connection, so whoever must know looks now and then as well; after each
 * reconnection `changed` is told. @param redis a connection of its own, the caller's to close, which closes this too.
 */
export function watchDirectory(options: {
  readonly redis: Redis;
  readonly ns: string;
  readonly onNews: (news: DirectoryNews) => void;
}): void {
  const { redis, ns, onNews } = options;
  const channel = directoryNames(ns).revision;
  redis.on('message', (from: string, message: string) => {
    const news = from === channel ? parseNews(message) : null;
    if (news) onNews(news);
  });
  redis.on('ready', () => onNews({ kind: 'changed' }));
  // A subscription is taken up again after each reconnection; what fails here fails with the connection.
  redis.subscribe(channel).catch(() => {});
}

/** null: of a newer version. */
function parseNews(message: string): DirectoryNews | null {
  const [kind, account = ''] = message.split(' ');
  switch (kind) {
    case 'changed':
    case 'workers':
      return { kind };
    case 'suspect':
      return { kind, account };
    case 'ok':
    case 'dead':
    case 'unclear':
      return { kind: 'checked', account, result: kind };
    default:
      return null;
  }
}
