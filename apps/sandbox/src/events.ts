import type { Endpoint, Fault } from './options.ts';
import { SandboxError } from './sandbox-error.ts';
import type { WriteEntry } from './write-log.ts';

/** What a test can wait for: a request came in, a fault was chosen for it, its client gave up, a write took effect. */
export type SandboxEvent =
  | {
      readonly kind: 'request';
      readonly endpoint: Endpoint;
      readonly account: string;
      readonly username: string | null;
    }
  | { readonly kind: 'fault'; readonly endpoint: Endpoint; readonly account: string; readonly fault: Fault }
  | { readonly kind: 'gone'; readonly endpoint: Endpoint; readonly account: string }
  | { readonly kind: 'write'; readonly entry: WriteEntry };

export type Events = {
  emit(event: SandboxEvent): void;
  /** Returns the function that ends it. */
  on(listener: (event: SandboxEvent) => void): () => void;
  /** The next event that satisfies the predicate; rejects with `closed` when the sandbox closes first. */
  waitFor(wanted: (event: SandboxEvent) => boolean): Promise<SandboxEvent>;
  close(): void;
};

export function buildEvents(): Events {
  const listeners = new Set<(event: SandboxEvent) => void>();
  const waiting = new Set<() => void>();

  function on(listener: (event: SandboxEvent) => void): () => void {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  return {
    emit(event) {
      for (const listener of listeners) listener(event);
    },
    on,
    waitFor(wanted) {
      return new Promise((resolve, reject) => {
        const giveUp = () => reject(new SandboxError('closed', 'The sandbox was closed.'));
        waiting.add(giveUp);
        const off = on((event) => {
          if (!wanted(event)) return;
          off();
          waiting.delete(giveUp);
          resolve(event);
        });
      });
    },
    close() {
      listeners.clear();
      for (const giveUp of waiting) giveUp();
      waiting.clear();
    },
  };
}
