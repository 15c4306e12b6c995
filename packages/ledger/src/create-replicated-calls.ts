import type { Redis } from '@pinegate/runtime';

const WAIT_MS = 200;

/** Too few replicas had a write within 200 ms. It may still take effect; what was asked for may be asked for again. */
export class NotReplicatedError extends Error {
  override readonly name = 'NotReplicatedError';
  readonly code = 'NOT_REPLICATED';
  /** What the call answered: it has been done all the same. */
  readonly answer: unknown;

  constructor(answer: unknown, cause: unknown) {
    super('too few replicas had it in time', { cause });
    this.answer = answer;
  }
}

/** Where acknowledged writes go. */
export interface Replication {
  /** A connection that serves nothing else: while it waits for replicas, all that is sent on it waits too. The caller's to close. */
  readonly redis: Redis;
  /** How many replicas must have a write before it counts. */
  readonly count: number;
}

/** Runs a call, and waits for replicas where its answer says so. Errors: `NotReplicatedError`, and those of the call. */
export type ReplicatedCall = <T>(call: (redis: Redis) => Promise<T>, mustWait: (answer: T) => boolean) => Promise<T>;

interface Waiting {
  readonly begin: () => Promise<boolean>;
  readonly end: (error?: unknown) => void;
}

/**
 * Calls that are acknowledged by replicas. While some wait, the next gather: they are sent together and share one WAIT. Calls and WAIT go
 * over one connection, and one that broke in between has acknowledged nothing: the master it finds then may be another.
 */
export function createReplicatedCalls({ redis, count }: Replication): ReplicatedCall {
  let waiting: Waiting[] = [];
  let running = false;
  let breaks = 0;
  redis.on('close', () => {
    breaks += 1;
  });

  async function acknowledge(): Promise<void> {
    const had = await redis.wait(count, WAIT_MS);
    if (had < count) throw new Error(`${had} of ${count} replicas had it within ${WAIT_MS} ms`);
  }

  async function runBatch(batch: readonly Waiting[]): Promise<void> {
    const before = breaks;
    const must = await Promise.all(batch.map(({ begin }) => begin()));
    let error: unknown;
    if (must.includes(true)) {
      try {
        await acknowledge();
        if (breaks !== before) throw new Error('the connection broke while replicas were waited for');
      } catch (cause) {
        error = cause;
      }
    }
    for (const [i, { end }] of batch.entries()) end(must[i] ? error : undefined);
  }

  async function run(): Promise<void> {
    running = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      await runBatch(batch);
    }
    running = false;
  }

  return (call, mustWait) =>
    new Promise((resolve, reject) => {
      let settle: (error?: unknown) => void = reject;
      waiting.push({
        // Never rejects: a call that fails has nothing to wait for.
        async begin() {
          try {
            const answer = await call(redis);
            settle = (error) => (error === undefined ? resolve(answer) : reject(new NotReplicatedError(answer, error)));
            return mustWait(answer);
          } catch (error) {
            settle = () => reject(error);
            return false;
          }
        },
        end: (error) => settle(error),
      });
      if (!running) void run();
    });
}
