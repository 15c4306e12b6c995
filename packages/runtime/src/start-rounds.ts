/**
 * Runs a task again and again, each time the clock of this process comes to a whole multiple of `everyMs`, and never twice at once: all
 * that a process looks at by itself then wakes it together, and goes to Redis together. The first round is up to one and a half times
 * `everyMs` away. What `run` rejects with is dropped. It does not keep the process alive.
 */
export function startRounds(everyMs: number, run: () => Promise<unknown>): { stop(): Promise<void> } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  function schedule(): void {
    if (stopped) return;
    timer = setTimeout(
      () => {
        running = run().then(schedule, schedule);
      },
      untilRound(everyMs, performance.now()),
    ).unref();
  }
  schedule();

  return {
    /** Resolves when the round under way, if any, is over. */
    stop() {
      stopped = true;
      clearTimeout(timer);
      return running;
    },
  };
}

/** Ms from `now` until the multiple of `everyMs` that is nearest to one `everyMs` away: a timer that fires a little early skips none. */
export function untilRound(everyMs: number, now: number): number {
  const rest = everyMs - (now % everyMs);
  return rest < everyMs / 2 ? rest + everyMs : rest;
}
