import { setTimeout as pause } from 'node:timers/promises';
import { openGrantPool } from './grant-pool.ts';
import type { Rival, RivalSetup, RivalTask } from './rival.ts';

const BATCH = 8;
const BATCH_PAUSE_MS = 300;

/** So many loops that each take the next name until there is none. */
async function inLoops({ names, count, seconds }: RivalTask, loops: number, grant: (name: string) => Promise<void>) {
  const startedAt = performance.now();
  const until = seconds === undefined ? Number.POSITIVE_INFINITY : startedAt + seconds * 1000;
  let next = 0;
  let done = 0;
  async function loop(): Promise<void> {
    while (next < count && performance.now() < until) {
      await grant(`${names}_${next++}`);
      done += 1;
    }
  }
  await Promise.all(Array.from({ length: loops }, loop));
  return { done, ms: performance.now() - startedAt };
}

/** The bare loop: nothing but the calls, as many at a time as a worker has. */
export function openLoop(setup: RivalSetup): Rival {
  const pool = openGrantPool(setup);
  return { run: (task) => inLoops(task, setup.inFlight, pool.add), close: pool.close };
}

/** A script that an author writes first: look whether the user is there, then add, one user after another. */
export function openSequential(setup: RivalSetup): Rival {
  const pool = openGrantPool(setup);
  const grant = async (name: string) => {
    if (!(await pool.has(name))) await pool.add(name);
  };
  return { run: (task) => inLoops(task, 1, grant), close: pool.close };
}

/** Its second version: eight users at a time, then a pause so that TradingView is not angered. */
export function openBatcher(setup: RivalSetup): Rival {
  const pool = openGrantPool(setup);
  const grant = async (name: string) => {
    if (!(await pool.has(name))) await pool.add(name);
  };
  return {
    async run({ names, count, seconds = Number.POSITIVE_INFINITY }) {
      const startedAt = performance.now();
      let done = 0;
      while (done < count && performance.now() - startedAt < seconds * 1000) {
        const size = Math.min(BATCH, count - done);
        await Promise.all(Array.from({ length: size }, (_, i) => grant(`${names}_${done + i}`)));
        done += size;
        await pause(BATCH_PAUSE_MS);
      }
      return { done, ms: performance.now() - startedAt };
    },
    close: pool.close,
  };
}
