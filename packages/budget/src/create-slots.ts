import type { PermitClass } from './budget-scripts.ts';
import type { BudgetName } from './budget-settings.ts';

/** The place of one request among those in flight. */
export type Slot = {
  /** null: it has its place. Else resolves with true when it has, with false when it gets none. */
  readonly ready: Promise<boolean> | null;
  /** Once. */
  leave(): void;
};

type Late = { readonly budget: BudgetName; readonly give: (got: boolean) => void };

/** The slots of one class in one process: those in use, and the requests that were let go ahead of theirs. */
export type Slots = {
  readonly inUse: number;
  /** Requests that were let go ahead and have no slot yet. */
  readonly late: number;
  /** Takes one at once. */
  take(): Slot;
  /** Takes the next one that is free. */
  takeLater(budget: BudgetName): Slot;
  /** Gives so many to those who came first. */
  fill(free: number): void;
  /** Tells those of whom this is true that they get none. */
  refuse(which: (budget: BudgetName) => boolean): void;
};

export type SlotsByClass = Readonly<Record<PermitClass, Slots>>;

export function createSlots(): Slots {
  let inUse = 0;
  let late: Late[] = [];

  const taken: Slot = {
    ready: null,
    leave() {
      inUse -= 1;
    },
  };

  return {
    get inUse() {
      return inUse;
    },
    get late() {
      return late.length;
    },
    take() {
      inUse += 1;
      return taken;
    },
    takeLater(budget) {
      let leave = () => {
        late = late.filter((other) => other !== waiter);
        waiter.give(false);
      };
      let give = (_got: boolean) => {};
      const ready = new Promise<boolean>((resolve) => {
        give = resolve;
      });
      const waiter: Late = {
        budget,
        give(got) {
          leave = got ? taken.leave : () => {};
          give(got);
        },
      };
      late.push(waiter);
      return { ready, leave: () => leave() };
    },
    fill(free) {
      for (const { give } of late.splice(0, Math.max(0, free))) {
        inUse += 1;
        give(true);
      }
    },
    refuse(which) {
      const refused = late.filter(({ budget }) => which(budget));
      late = late.filter(({ budget }) => !which(budget));
      for (const { give } of refused) give(false);
    },
  };
}
