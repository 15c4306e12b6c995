import type { Exchange } from './exchange.ts';
import type { Timers } from './timers.ts';

/** Writes that have not taken effect although their request is in: they land after the client gave up. */
export type LateWrites = {
  readonly pending: number;
  /** `delay` is counted in milliseconds from the client's leaving; `held` waits for `release`. */
  hold(exchange: Exchange, delay: number | 'held', land: () => void): void;
  /** Lands all of them now, in the order they came, and returns how many. */
  release(): number;
  /** Forgets them: they never land. */
  clear(): void;
};

export function buildLateWrites(timers: Timers): LateWrites {
  const pending = new Set<() => void>();

  return {
    get pending() {
      return pending.size;
    },
    hold(exchange, delay, land) {
      const write = () => {
        if (pending.delete(write)) land();
      };
      pending.add(write);
      if (delay !== 'held') exchange.onGone(() => timers.after(delay, write));
    },
    release() {
      const writes = [...pending];
      for (const write of writes) write();
      return writes.length;
    },
    clear: () => pending.clear(),
  };
}
