import type { SourcePatch } from './sources.ts';

/** Times that no variable sets, in the proportions of the defaults: how soon the work of a dead worker is found shapes a storm most. */
export const SHORT_TIMES: readonly SourcePatch[] = [
  {
    file: 'packages/queues/src/queue-options.ts',
    find: 'lockDuration: 15_000, stalledInterval: 10_000',
    replace: 'lockDuration: 4_000, stalledInterval: 2_500',
  },
  {
    file: 'apps/worker/src/create-leader.ts',
    find: 'leaseMs: 15_000, renewMs: 5_000',
    replace: 'leaseMs: 4_000, renewMs: 1_300',
  },
  {
    file: 'apps/worker/src/build-sweeper.ts',
    find: 'const FULL_PASS_MS = 10_000;',
    replace: 'const FULL_PASS_MS = 2_500;',
  },
];
