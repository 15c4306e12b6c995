export type Latch<T = void> = {
  /** Releases everybody who waits or will wait; only the first call counts. */
  open(value: T): void;
  readonly isOpen: boolean;
  /** Resolves once open; rejects after `withinMs` (10 s), naming the latch. Arm it before the trigger. */
  wait(withinMs?: number): Promise<T>;
};

/** A door that opens once: what a test waits for instead of sleeping. */
export function createLatch<T = void>(name = 'latch'): Latch<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  let isOpen = false;
  return {
    open(value) {
      isOpen = true;
      resolve(value);
    },
    get isOpen() {
      return isOpen;
    },
    wait(withinMs = 10_000) {
      return within(promise, withinMs, () => `${name} did not open within ${withinMs} ms`);
    },
  };
}

/** The promise, or an error with that message once `ms` have passed. */
export async function within<T>(promise: Promise<T>, ms: number, message: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(message())), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
