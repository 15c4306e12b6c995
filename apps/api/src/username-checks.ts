import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import { isoTime } from './access-view.ts';
import type { username } from './schemas.ts';

/** What is known of a username. */
export type UsernameView = z.output<typeof username>;

/** What the cache knows of a name: the spelling, null = no such user, and when that was looked up, ms. */
export interface KnownName {
  readonly canonical: string | null;
  readonly checkedAt: number;
}

/** Finds out whether users exist and how they spell themselves. */
export interface UsernameChecks {
  /**
   * In the order of the names. What is not known is looked up by a worker; after `waitMs` the rest is answered as not known.
   * @param names clean usernames.
   */
  check(names: readonly string[], waitMs: number): Promise<readonly UsernameView[]>;
}

/** What the checks need of the cache; both in the order of the names. */
export interface KnownNames {
  getMany(names: readonly string[]): Promise<readonly (KnownName | null)[]>;
  /** As `getMany`, for who waits. */
  lookAgain(names: readonly string[]): Promise<readonly (KnownName | null)[]>;
}

const FIRST_LOOK_MS = 50;
const LONGEST_PAUSE_MS = 400;

/** @param ask puts the look-up of names on the queue of the workers. */
export function buildUsernameChecks(
  cache: KnownNames,
  ask: (names: readonly string[]) => Promise<void>,
): UsernameChecks {
  return {
    async check(names, waitMs) {
      const views = (await cache.getMany(names)).map((known, at) => viewName(names[at] ?? '', known, true));
      let missing = unknownOf(views);
      if (missing.length === 0 || waitMs === 0) return views;
      const deadline = performance.now() + waitMs;
      await ask([...new Set(missing.map((at) => (names[at] ?? '').toLowerCase()))]);
      for (let pause = FIRST_LOOK_MS; missing.length > 0; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
        const left = deadline - performance.now();
        if (left <= 0) break;
        await delay(Math.min(pause, left));
        const found = await cache.lookAgain(missing.map((at) => names[at] ?? ''));
        for (const [i, at] of missing.entries()) views[at] = viewName(names[at] ?? '', found[i] ?? null, false);
        missing = unknownOf(views);
      }
      return views;
    },
  };
}

function viewName(name: string, known: KnownName | null, cached: boolean): UsernameView {
  if (known === null) return { username: name, exists: null, cached: false, checkedAt: null };
  const { canonical, checkedAt } = known;
  return { username: canonical ?? name, exists: canonical !== null, cached, checkedAt: isoTime(checkedAt) };
}

function unknownOf(views: readonly UsernameView[]): number[] {
  return [...views.keys()].filter((at) => views[at]?.exists === null);
}
