import { LANES } from '@pinegate/access';
import type { Bells as BellCounts } from '@pinegate/ledger';
import type { Bells } from '@pinegate/queues';
import type { Logger } from '@pinegate/runtime';

/** Rings for what a redrive wrote. One that fails is only told: the sweeper rings for whatever waits. */
export function buildRing(bells: Bells, log: Logger) {
  return async (account: string, counts: BellCounts): Promise<void> => {
    for (const lane of LANES) {
      const count = counts[lane] ?? 0;
      if (count === 0) continue;
      await bells
        .ring(account, lane, count)
        .catch((err: unknown) =>
          log.warn({ err, account, lane, count }, 'bells were not rung; the sweeper rings them'),
        );
    }
  };
}
