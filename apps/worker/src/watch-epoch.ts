import type { EpochGuard } from '@pinegate/ledger';
import { startRounds } from '@pinegate/runtime';

const LOOK_MS = 1_000;

/** Looks every second whether Redis is the one it was, also while there is nothing to claim. */
export function watchEpoch(epoch: Pick<EpochGuard, 'look'>): { stop(): Promise<void> } {
  // That Redis does not answer, its own client says.
  return startRounds(LOOK_MS, () => epoch.look());
}
