/** Tells a client that left from one that was answered: both close the stream. */
export type Departure = {
  readonly gone: boolean;
  readonly ended: boolean;
  /** True for the first caller only, and false once the client has left. */
  end(): boolean;
  onGone(listener: () => void): void;
  closed(): void;
};

export function buildDeparture(): Departure {
  const listeners: (() => void)[] = [];
  let gone = false;
  let ended = false;
  return {
    get gone() {
      return gone;
    },
    get ended() {
      return ended;
    },
    end() {
      const first = !ended && !gone;
      ended = true;
      return first;
    },
    onGone(listener) {
      if (gone) listener();
      else listeners.push(listener);
    },
    closed() {
      if (ended || gone) return;
      gone = true;
      for (const listener of listeners) listener();
    },
  };
}
