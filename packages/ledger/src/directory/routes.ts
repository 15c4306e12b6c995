import { LRUCache } from 'lru-cache';
import type { Directory } from '../directory-types.ts';
import type { DirectoryNames } from './directory-names.ts';
import type { DirectoryScripts } from './directory-scripts.ts';
import type { Snapshot } from './snapshot.ts';

const MAX_AGE_MS = 2_000;
const ASK_AGAIN_MS = 1_000;
const REMEMBERED = 10_000;

/** `Directory.scripts`. `clock`: ms, monotonic. */
export function buildRoutes(
  scripts: DirectoryScripts,
  names: DirectoryNames,
  snapshot: Snapshot,
  clock: () => number,
): Directory['scripts'] {
  // One bound for each script, not one for all: a script put a moment ago by another process must not be called unknown
  // because somebody else has just asked for one that does not exist.
  const missedAt = new LRUCache<string, number>({ max: REMEMBERED });
  const scriptOf = new LRUCache<string, string>({ max: REMEMBERED });

  return {
    async resolve(script) {
      const known = (await snapshot.state(MAX_AGE_MS)).routes.get(script);
      if (known) return known;
      if (clock() - (missedAt.get(script) ?? Number.NEGATIVE_INFINITY) < ASK_AGAIN_MS) return null;
      missedAt.set(script, clock());
      return (await snapshot.reload()).routes.get(script) ?? null;
    },
    all: async () => (await snapshot.state(MAX_AGE_MS)).routes,
    async nameOf(account, index) {
      const field = `${account}:${index}`;
      const remembered = scriptOf.get(field);
      if (remembered !== undefined) return remembered;
      const script = await scripts.redis.hget(names.indexes, field);
      // An index never changes its meaning.
      if (script !== null) scriptOf.set(field, script);
      return script;
    },
  };
}
