import type { Directory } from '@pinegate/ledger';

const SAME_MS = 1_000;
const FORGET_MS = 5_000;

/** Tells the directory when accounts are due, as seldom as it can. */
export interface DueMarks {
  /** @param at Redis time, ms; about right is enough, the leader looks at every account now and then anyway. */
  mark(account: string, at: number): void;
}

/** Marks that a recent, earlier one covers are dropped. */
export function createDueMarks(due: Pick<Directory['due'], 'mark'>, monotonic: () => number): DueMarks {
  const marked = new Map<string, { readonly at: number; readonly when: number }>();
  return {
    mark(account, at) {
      const last = marked.get(account);
      const now = monotonic();
      if (last && now - last.when < FORGET_MS && last.at <= at + SAME_MS) return;
      marked.set(account, { at, when: now });
      // A mark that is lost is made up for by the leader's full pass.
      due.mark(account, at).catch(() => {});
    },
  };
}
