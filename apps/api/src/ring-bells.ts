import { LANES, type Lane } from '@pinegate/access';
import type { Bells as BellCounts } from '@pinegate/ledger';
import type { Bells } from '@pinegate/queues';
import type { Logger } from '@pinegate/runtime';
import type { ApiMetrics } from './api-metrics.ts';

/** Bells of one lane that wait for the ring under way. */
interface Waiting {
  count: number;
  readonly rung: Promise<void>;
}

/**
 * Rings what a submit wrote. While a lane is being rung, what comes for it gathers and is rung together: those of each turn
 * bring a bell of their own, and a call for each would cost the api more than all else they do. A ring that fails is counted and nothing else:
 * the operations are in the ledger, and the sweeper rings for chunks that nobody rang for.
 */
export function buildRing(
  bells: Pick<Bells, 'ring'>,
  { missedRings }: Pick<ApiMetrics, 'missedRings'>,
  log: Pick<Logger, 'warn'>,
) {
  const underWay = new Map<string, Promise<void>>();
  const waiting = new Map<string, Waiting>();

  async function ring(account: string, lane: Lane, count: number): Promise<void> {
    try {
      await bells.ring(account, lane, count);
    } catch (err) {
      missedRings.inc({}, count);
      log.warn({ err, account, lane, count }, 'bells were not rung; the sweeper rings them');
    }
  }

  function begin(name: string, account: string, lane: Lane, count: number): Promise<void> {
    const rung = ring(account, lane, count).finally(() => {
      if (underWay.get(name) === rung) underWay.delete(name);
    });
    underWay.set(name, rung);
    return rung;
  }

  function gather(account: string, lane: Lane, count: number): Promise<void> {
    const name = `${account} ${lane}`;
    const before = underWay.get(name);
    if (before === undefined) return begin(name, account, lane, count);
    const known = waiting.get(name);
    if (known !== undefined) {
      known.count += count;
      return known.rung;
    }
    const rung = before.then(() => {
      const gathered = waiting.get(name)?.count ?? 0;
      waiting.delete(name);
      return begin(name, account, lane, gathered);
    });
    waiting.set(name, { count, rung });
    return rung;
  }

  return async (account: string, counts: BellCounts): Promise<void> => {
    const rings = LANES.map((lane) => {
      const count = counts[lane] ?? 0;
      return count === 0 ? null : gather(account, lane, count);
    });
    await Promise.all(rings);
  };
}
