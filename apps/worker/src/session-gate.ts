import type { SessionResult } from '@pinegate/ledger';

/** Whether requests of an account may be sent by this process: not while it is inactive, nor while its session is suspect. */
export interface SessionGate {
  readonly open: boolean;
  /** Nothing more is sent until `conclude` or `follow`, or until time is up: whoever asked may have died. */
  suspect(): void;
  /** What a suspicion came to. A dead session opens nothing: the account's own change, which follows, does what is right. */
  conclude(result: SessionResult): void;
  /** The account changed. */
  follow(active: boolean, result: SessionResult): void;
  /** Resolves once requests may be sent; false when aborted before. */
  passed(signal: AbortSignal): Promise<boolean>;
  /** What the suspicion comes to. */
  concluded(): Promise<SessionResult>;
}

/** @param suspectMs how long a suspicion may last. */
export function createSessionGate(suspectMs: number): SessionGate {
  let active = false;
  let timer: NodeJS.Timeout | undefined;
  const waiting = new Set<() => void>();
  let conclusions: ((result: SessionResult) => void)[] = [];

  const isOpen = () => active && timer === undefined;

  function tell(result: SessionResult): void {
    for (const resolve of conclusions.splice(0)) resolve(result);
  }

  function lift(): void {
    clearTimeout(timer);
    timer = undefined;
    if (isOpen()) for (const wake of [...waiting]) wake();
  }

  const gate: SessionGate = {
    get open() {
      return isOpen();
    },
    suspect() {
      timer ??= setTimeout(() => gate.conclude('unclear'), suspectMs);
    },
    conclude(result) {
      tell(result);
      if (result !== 'dead') lift();
    },
    follow(isActive, result) {
      active = isActive;
      tell(result);
      lift();
    },
    async passed(signal) {
      while (!isOpen() && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake);
            signal.removeEventListener('abort', wake);
            resolve();
          };
          signal.addEventListener('abort', wake, { once: true });
          waiting.add(wake);
        });
      }
      return !signal.aborted;
    },
    concluded() {
      if (timer === undefined) return Promise.resolve('unclear');
      return new Promise((resolve) => {
        conclusions = [...conclusions, resolve];
      });
    },
  };
  return gate;
}
