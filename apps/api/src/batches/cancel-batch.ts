import type { BatchRecord, Directory, EndedOperation, Ledger } from '@pinegate/ledger';
import type { FastifyBaseLogger } from 'fastify';

/** Cancels batches. */
export interface BatchCancels {
  /** Marks the batch and its parts; what is pending is then taken out in the background. null: there is no such batch. */
  cancel(id: string): Promise<BatchRecord | null>;
  /** Resolves when the steps under way have ended; no further ones begin. The worker that leads goes on with them. */
  close(): Promise<void>;
}

/** Builds what cancels batches. @param onEnded told of the operations that were taken out. */
export function buildBatchCancels(
  directory: Directory,
  ledger: Ledger,
  onEnded: (ended: readonly EndedOperation[]) => void,
  log: FastifyBaseLogger,
): BatchCancels {
  const underWay = new Map<string, Promise<void>>();
  const again = new Set<string>();
  let closed = false;

  async function takeOut(account: string): Promise<void> {
    do {
      again.delete(account);
      for (let left = 1; left > 0 && !closed; ) {
        const step = await ledger.account(account).cancelSome();
        left = step.left;
        onEnded(step.ended);
      }
    } while (again.has(account) && !closed);
  }

  function begin(account: string): void {
    again.add(account);
    if (underWay.has(account)) return;
    const done = takeOut(account)
      .catch((err) => log.warn({ err, account }, 'a cancel stopped half way; the worker that leads goes on with it'))
      .finally(() => underWay.delete(account));
    underWay.set(account, done);
  }

  return {
    async cancel(id) {
      const record = await directory.batches.cancel(id);
      if (record === null) return null;
      await Promise.all(record.accounts.map((account) => ledger.account(account).cancel(id)));
      for (const account of record.accounts) begin(account);
      return record;
    },
    async close() {
      closed = true;
      await Promise.all(underWay.values());
    },
  };
}
