import type { AccountLedger, Settled, Settlement } from '@pinegate/ledger';

/** Keys that one call settles. */
const MOST = 200;
/** So many go without waiting for more. */
const ENOUGH = 50;
/** How long keys that nobody waits for stay for company, ms: a call costs Redis and this process as much as ten keys of it do. */
const LINGER_MS = 5;

/** Settles one key; many at a time share a Lua call. */
export interface Settler {
  /**
   * Rejects when Redis did not answer: the claim then lapses, and its takeover opens the window.
   * @param bulk nobody waits for it, so it may wait a little for others
   */
  settle(settlement: Settlement, bulk: boolean): Promise<Settled>;
}

/** Runs something after some ms; the result takes it back. */
type After = (ms: number, run: () => void) => () => void;

interface Waiting {
  readonly settlement: Settlement;
  readonly resolve: (settled: Settled) => void;
  readonly reject: (error: unknown) => void;
}

const byTimer: After = (ms, run) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};

/** One call at a time: while it is under way the next gathers whatever arrives. */
export function createSettler(ledger: Pick<AccountLedger, 'settle'>, after: After = byTimer): Settler {
  let waiting: Waiting[] = [];
  let isUrgent = false;
  let running = false;
  let stay: (() => void) | undefined;

  function look(): void {
    if (running || waiting.length === 0) return;
    if (isUrgent || waiting.length >= ENOUGH) void run();
    else stay ??= after(LINGER_MS, run);
  }

  async function run(): Promise<void> {
    stay?.();
    stay = undefined;
    running = true;
    // Answers that came in one read of the socket settle together.
    await new Promise<void>((resolve) => setImmediate(resolve));
    const batch = waiting.slice(0, MOST);
    waiting = waiting.slice(MOST);
    if (waiting.length === 0) isUrgent = false;
    await settleBatch(batch);
    running = false;
    look();
  }

  async function settleBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      const answers = await ledger.settle(batch.map((w) => w.settlement));
      for (const [i, w] of batch.entries()) {
        const answer = answers[i];
        if (answer) w.resolve(answer);
        else w.reject(new Error('settle answered for fewer keys than it was asked'));
      }
    } catch (error) {
      for (const w of batch) w.reject(error);
    }
  }

  return {
    settle(settlement, bulk) {
      return new Promise((resolve, reject) => {
        waiting.push({ settlement, resolve, reject });
        isUrgent ||= !bulk;
        look();
      });
    },
  };
}
