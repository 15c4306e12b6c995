import { hash32 } from './random.ts';
import type { Settings } from './settings.ts';
import { buildSortedList } from './sorted-list.ts';

const VALID = /^[A-Za-z0-9_.-]{1,64}$/;

/** Which users exist, and how they are spelled. Needs no entry for a user of the open world. */
export type Usernames = {
  /**
   * The canonical spelling, or null when there is no such user. A registered name has the registered spelling; in the
   * open world every other valid name that does not match `unknownPattern` exists in lower case.
   */
  canonical(name: string): string | null;
  register(spellings: readonly string[]): void;
  /** These do not exist, whatever the world and the pattern say. */
  markMissing(names: readonly string[]): void;
  /** What a prefix search finds, at most `most`, in no useful order: the exact name need not come first. */
  search(prefix: string, most: number): string[];
  clear(): void;
};

export function buildUsernames(settings: Settings): Usernames {
  const registered = new Map<string, string>();
  const missing = new Set<string>();
  let sorted = buildSortedList<string, string>(compareText);

  function canonical(name: string): string | null {
    const key = name.toLowerCase();
    const spelling = registered.get(key);
    if (spelling !== undefined) return spelling;
    if (!settings.current.openWorld || missing.has(key)) return null;
    return VALID.test(name) && !settings.unknownUser.test(name) ? key : null;
  }

  return {
    canonical,
    register(spellings) {
      for (const spelling of spellings) {
        const key = spelling.toLowerCase();
        if (!registered.has(key)) sorted.insert(key);
        registered.set(key, spelling);
        missing.delete(key);
      }
    },
    markMissing(names) {
      for (const name of names) {
        const key = name.toLowerCase();
        if (registered.delete(key)) sorted.remove(key);
        missing.add(key);
      }
    },
    search(prefix, most) {
      const key = prefix.toLowerCase();
      const exact = canonical(prefix);
      const found: string[] = [];
      // TradingView ranks by popularity, so a client that takes the first row must be caught here.
      const decoy = settings.current.hintDecoys ? canonical(`${key}0`) : null;
      if (decoy !== null) found.push(decoy);
      for (const name of startingWith(sorted.after(key), key)) {
        if (found.length >= most - 1) break;
        const spelling = registered.get(name) as string;
        if (spelling !== decoy) found.push(spelling);
      }
      if (exact !== null) found.push(exact);
      return found;
    },
    clear() {
      registered.clear();
      missing.clear();
      sorted = buildSortedList<string, string>(compareText);
    },
  };
}

/** The numeric id of a user: stable for a name, in any run. */
export function userId(spelling: string): number {
  const key = spelling.toLowerCase();
  return (hash32(key) % 0x100000) * 0x100000000 + hash32(key, 0x9747b28c);
}

/** By code units, as the sorted lists need it: a locale would be slower and no truer. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function* startingWith(names: Iterable<string>, prefix: string): Generator<string> {
  for (const name of names) {
    if (!name.startsWith(prefix)) return;
    yield name;
  }
}
