import { onceATurn } from '@pinegate/runtime';

/** One account's hold on the process's room. */
export interface Room {
  /** Waits for room; answers how many of `n` may go, 0 when aborted. */
  enter(n: number, options: { readonly bulk: boolean; readonly signal: AbortSignal }): Promise<number>;
  /** The same without waiting: answers 0 where there is none. */
  enterNow(n: number, bulk: boolean): number;
  leave(n: number, bulk: boolean): void;
  /** The account is served no more: what it still has in hand counts until it leaves. */
  close(): void;
}

/** The cap on keys that are claimed and may have a request under way, of one process over all its accounts. */
export interface InFlight {
  readonly cap: number;
  open(): Room;
}

interface Waiter {
  readonly n: number;
  readonly give: (got: number) => void;
}

interface Share {
  inHand: number;
  readonly singles: Waiter[];
  readonly bulk: Waiter[];
}

/** No account takes more than this of the room, so that one whose requests hang leaves some for the others. */
const MOST = 7 / 8;
/** What bulk of all accounts leaves of the room, so that a single operation finds some at once. */
const FOR_SINGLES = 1 / 16;

/** A gate that gives what is free to the account with the least in hand, and within an account to singles first. */
export function createInFlight(cap: number): InFlight {
  let free = cap;
  const open = new Set<Share>();

  const most = Math.max(1, Math.floor(cap * MOST));
  const mostBulk = Math.max(1, cap - Math.max(1, Math.floor(cap * FOR_SINGLES)));
  let bulkInHand = 0;

  const roomOf = (share: Share, bulk: boolean) => {
    const room = Math.min(free, (open.size > 1 ? most : cap) - share.inHand);
    return bulk ? Math.min(room, mostBulk - bulkInHand) : room;
  };
  const lineOf = (share: Share) => {
    if (share.singles.length > 0 && roomOf(share, false) > 0) return share.singles;
    return share.bulk.length > 0 && roomOf(share, true) > 0 ? share.bulk : null;
  };

  function next(): Share | undefined {
    let found: Share | undefined;
    for (const share of open) {
      if (lineOf(share) !== null && (!found || share.inHand < found.inHand)) found = share;
    }
    return found;
  }

  function take(share: Share, n: number, bulk: boolean): void {
    free -= n;
    share.inHand += n;
    if (bulk) bulkInHand += n;
  }

  /** Answers how many of `n` there was room for. */
  function takeUpTo(share: Share, n: number, bulk: boolean): number {
    const got = Math.max(0, Math.min(n, roomOf(share, bulk)));
    take(share, got, bulk);
    return got;
  }

  function serve(): void {
    for (let share = next(); share; share = next()) {
      const bulk = lineOf(share) === share.bulk;
      const waiter = (bulk ? share.bulk : share.singles).shift() as Waiter;
      waiter.give(takeUpTo(share, waiter.n, bulk));
    }
  }

  // Keys that settle together leave their room together, or each would go to a claim of its own.
  const serveSoon = onceATurn(serve);

  return {
    cap,
    open() {
      const share: Share = { inHand: 0, singles: [], bulk: [] };
      open.add(share);
      return {
        enter(n, { bulk, signal }) {
          if (signal.aborted) return Promise.resolve(0);
          return new Promise((resolve) => {
            const line = bulk ? share.bulk : share.singles;
            const giveUp = () => {
              line.splice(line.indexOf(waiter), 1);
              resolve(0);
            };
            const waiter: Waiter = {
              n,
              give(got) {
                signal.removeEventListener('abort', giveUp);
                resolve(got);
              },
            };
            signal.addEventListener('abort', giveUp, { once: true });
            line.push(waiter);
            serve();
          });
        },
        enterNow: (n, bulk) => takeUpTo(share, n, bulk),
        leave(n, bulk) {
          if (n === 0) return;
          take(share, -n, bulk);
          serveSoon();
        },
        close() {
          open.delete(share);
          for (const waiter of [...share.singles.splice(0), ...share.bulk.splice(0)]) waiter.give(0);
          serve();
        },
      };
    },
  };
}
