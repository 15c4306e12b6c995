/** How many things one side may send before the other has dealt with the first of them. */
export interface Credits {
  /** Resolves when one more may be sent. One caller at a time. */
  take(): Promise<void>;
  give(): void;
}

/** Builds credits, `count` to begin with. */
export function buildCredits(count: number): Credits {
  let left = count;
  let wake: (() => void) | null = null;
  return {
    async take() {
      while (left === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      left -= 1;
    },
    give() {
      left += 1;
      wake?.();
      wake = null;
    },
  };
}
