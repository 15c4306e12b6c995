import type { Directory } from '../directory-types.ts';
import type { DirectoryNames } from './directory-names.ts';
import type { DirectoryScripts } from './directory-scripts.ts';

/** A loop that is held up for a while must not move accounts: two other workers serve them meanwhile. */
const COUNTS_MS = 15_000;

/** `Directory.workers`. */
export function buildWorkers(scripts: DirectoryScripts, names: DirectoryNames): Directory['workers'] {
  const keys = [names.workers, names.revision];
  return {
    async beat(id) {
      const [revision, workers] = (await scripts.run('worker-beat', keys, [id, COUNTS_MS])) as [string, string[]];
      return { workers, revision };
    },
    async leave(id) {
      await scripts.run('worker-leave', keys, [id]);
    },
  };
}
