/** A step of simulated work: yields how many ms of simulated time to wait. */
export type Task<T = void> = AsyncGenerator<number, T, void>;

/** Whoever runs tasks: a dead one's stop where they are, a frozen one's wait. Simulated ms. */
export interface Owner {
  dead: boolean;
  frozenUntil: number;
}

export interface EventLoop {
  readonly now: () => number;
  readonly random: () => number;
  /** 0 … n-1. */
  readonly int: (n: number) => number;
  readonly pick: <T>(of: readonly T[]) => T;
  readonly at: (time: number, run: () => void | Promise<void>) => void;
  readonly spawn: (task: Task, owner?: Owner) => void;
  /** Runs events in order of time, one after another, until `end` or until `stop` answers true. */
  readonly run: (end: number, stop: () => boolean) => Promise<void>;
}

/** Marsaglia's xorshift, 32 bits, after a scrambled seed. */
export function createRandom(seed: number): () => number {
  let x = Math.imul(seed + 1, 0x9e3779b1) ^ 0x5bd1e995 || 1;
  for (let i = 0; i < 8; i += 1) x = shift(x);
  return () => {
    x = shift(x);
    return (x >>> 0) / 2 ** 32;
  };
}

function shift(x: number): number {
  let y = x ^ (x << 13);
  y ^= y >>> 17;
  return y ^ (y << 5);
}

interface Event {
  readonly time: number;
  readonly order: number;
  readonly run: () => void | Promise<void>;
}

/** A discrete-event loop over simulated time whose handlers may await real I/O: nothing else runs meanwhile. */
export function createEventLoop(seed: number, start: number): EventLoop {
  const random = createRandom(seed);
  const events: Event[] = [];
  let now = start;
  let order = 0;
  const int = (n: number) => Math.floor(random() * n);

  function at(time: number, run: Event['run']) {
    const event = { time: Math.max(time, now), order: order++, run };
    let low = 0;
    for (let high = events.length; low < high; ) {
      const middle = (low + high) >> 1;
      const other = events[middle] as Event;
      if (other.time > event.time || (other.time === event.time && other.order > event.order)) low = middle + 1;
      else high = middle;
    }
    // Latest first: the next event is popped from the end.
    events.splice(low, 0, event);
  }

  async function resume(task: Task, owner: Owner | undefined): Promise<void> {
    if (owner?.dead) return;
    if (owner && owner.frozenUntil > now) {
      at(owner.frozenUntil, () => resume(task, owner));
      return;
    }
    const step = await task.next();
    if (!step.done) at(now + step.value, () => resume(task, owner));
  }

  return {
    now: () => now,
    random,
    int,
    pick: (of) => of[int(of.length)] as never,
    at,
    spawn: (task, owner) => at(now, () => resume(task, owner)),
    async run(end, stop) {
      for (let event = events.pop(); event && event.time <= end; event = events.pop()) {
        now = event.time;
        await event.run();
        if (stop()) return;
      }
    },
  };
}
