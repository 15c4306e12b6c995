import type { AccountLedger, Settled, Settlement } from '@pinegate/ledger';

const MOST = 200;

/** Settles one key; many at a time share a Lua call. */
export interface Settler {
  /** Rejects when Redis did not answer: the claim then lapses, and its takeover opens the window. */
  settle(settlement: Settlement): Promise<Settled>;
}

interface Waiting {
  readonly settlement: Settlement;
  readonly resolve: (settled: Settled) => void;
  readonly reject: (error: unknown) => void;
}

/** While one call is under way the next gathers whatever arrives: no timer, and no wait when it is quiet. */
export function createSettler(ledger: Pick<AccountLedger, 'settle'>): Settler {
  let waiting: Waiting[] = [];
  let running = false;

  async function run(): Promise<void> {
    running = true;
    // Answers that came in one read of the socket settle together.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MOST);
      waiting = waiting.slice(MOST);
      await settleBatch(batch);
    }
    running = false;
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
    settle(settlement) {
      return new Promise((resolve, reject) => {
        waiting.push({ settlement, resolve, reject });
        if (!running) void run();
      });
    },
  };
}
