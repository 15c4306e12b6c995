/** All timers of a sandbox, so that closing it leaves none behind. */
export type Timers = {
  after(ms: number, run: () => void): void;
  /** Resolves after that time; never, once `clear` was called. */
  pause(ms: number): Promise<void>;
  clear(): void;
};

export function buildTimers(): Timers {
  const pending = new Set<NodeJS.Timeout>();

  function after(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      pending.delete(timer);
      run();
    }, ms);
    pending.add(timer);
  }

  return {
    after,
    pause: (ms) => new Promise((resolve) => after(ms, resolve)),
    clear() {
      for (const timer of pending) clearTimeout(timer);
      pending.clear();
    },
  };
}
