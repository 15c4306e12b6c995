import type { EpochEvents } from '@pinegate/ledger';
import type { Logger, Metrics } from '@pinegate/runtime';

/** Tells the log and the metrics what became of the epoch. */
export function buildEpochEvents(metrics: Metrics, log: Logger): EpochEvents {
  const found = metrics.counter({
    name: 'pinegate_redis_restored_total',
    help: 'Times that Redis was found emptied, or with an older state in it.',
    labels: ['what'],
  });
  return {
    emptied() {
      found.inc({ what: 'emptied' });
      log.error('Redis has been emptied: nothing is accepted until it is restored (docs/restore.md)');
    },
    restored(account) {
      found.inc({ what: account === null ? 'directory' : 'account' });
      log.error({ account }, 'an older state came back in Redis: the accounts are paused (docs/restore.md)');
    },
  };
}
