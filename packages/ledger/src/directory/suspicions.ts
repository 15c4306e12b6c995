import type { Directory } from '../directory-types.ts';
import type { DirectoryNames } from './directory-names.ts';
import type { DirectoryScripts } from './directory-scripts.ts';

/** `Directory.suspicions`. */
export function buildSuspicions(scripts: DirectoryScripts, names: DirectoryNames): Directory['suspicions'] {
  return {
    async raise(account, postedAt, ms) {
      const keys = [names.suspicion(account), names.account(account), names.revision];
      return (await scripts.run('suspicion-raise', keys, [account, postedAt, ms])) as 'ask' | 'wait' | 'moot';
    },
    async end(account, result) {
      await scripts.run('suspicion-end', [names.suspicion(account), names.revision], [account, result]);
    },
  };
}
