import { KINDS, type Kind, type Requests } from './requests.ts';

/** What came of the requests of a kind since the last look. */
export interface Tally {
  readonly waitsMs: readonly number[];
  readonly errors: readonly string[];
}

/** Keeps sending, as many a second of each kind as asked, whether or not answers come. */
export interface Pace {
  /** What was answered since the last call. */
  take(): Readonly<Record<Kind, Tally>>;
  /** Sends no more; resolves when all has been answered. */
  stop(): Promise<void>;
}

const TICK_MS = 10;
/** Requests without an answer, of all kinds: more would only measure this process. */
const MOST_OPEN = 2_000;

const nothing = () => ({ waitsMs: [] as number[], errors: [] as string[] });
const tallies = () => ({ single: nothing(), batch: nothing(), read: nothing(), dashboard: nothing() });

export function startPace(requests: Requests, perSecond: Readonly<Record<Kind, number>>): Pace {
  const startedAt = performance.now();
  const sent: Record<Kind, number> = { single: 0, batch: 0, read: 0, dashboard: 0 };
  const open = new Set<Promise<void>>();
  let tally = tallies();

  async function send(kind: Kind): Promise<void> {
    const from = performance.now();
    const problem = await requests[kind]().catch((error: Error) => String(error.cause ?? error));
    if (problem === null) tally[kind].waitsMs.push(performance.now() - from);
    else tally[kind].errors.push(problem);
  }

  function tick(): void {
    const seconds = (performance.now() - startedAt) / 1000;
    for (const kind of KINDS) {
      for (; sent[kind] < Math.floor(seconds * perSecond[kind]); sent[kind] += 1) {
        if (open.size >= MOST_OPEN) {
          tally[kind].errors.push(`not sent: ${MOST_OPEN} requests have no answer`);
          continue;
        }
        const request = send(kind).finally(() => open.delete(request));
        open.add(request);
      }
    }
  }
  const timer = setInterval(tick, TICK_MS);

  return {
    take() {
      const taken = tally;
      tally = tallies();
      return taken;
    },
    async stop() {
      clearInterval(timer);
      while (open.size > 0) await Promise.all(open);
    },
  };
}
