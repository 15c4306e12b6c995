import type { EpochGuard } from '@pinegate/ledger';

const LOOK_MS = 1_000;

/** Looks every second whether Redis is the one it was, also while there is nothing to claim. */
export function watchEpoch(epoch: Pick<EpochGuard, 'look'>): { stop(): void } {
  const timer = setInterval(() => {
    // That Redis does not answer, its own client says.
    epoch.look().catch(() => {});
  }, LOOK_MS);
  return { stop: () => clearInterval(timer) };
}
