import { LANES } from '@pinegate/access';
import type { Bells as BellCounts } from '@pinegate/ledger';
import type { Bells } from '@pinegate/queues';
import type { Logger } from '@pinegate/runtime';
import type { ApiMetrics } from './api-metrics.ts';

/**
 * Rings what a submit wrote. A ring that fails is counted and nothing else: the operations are in the ledger, and the sweeper rings
 * for chunks that nobody rang for.
 */
export function buildRing(bells: Bells, { missedRings }: ApiMetrics, log: Logger) {
  return async (account: string, counts: BellCounts): Promise<void> => {
    const rings = LANES.map(async (lane) => {
      const count = counts[lane] ?? 0;
      if (count === 0) return;
      try {
        await bells.ring(account, lane, count);
      } catch (err) {
        missedRings.inc({}, count);
        log.warn({ err, account, lane, count }, 'bells were not rung; the sweeper rings them');
      }
    });
    await Promise.all(rings);
  };
}
