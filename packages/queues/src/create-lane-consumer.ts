import { setTimeout as delay } from 'node:timers/promises';
import type { Lane } from '@pinegate/access';
import type { Redis } from '@pinegate/runtime';
import { type Job, Worker } from 'bullmq';
import { causeOf, JobFailure } from './job-failure.ts';
import { concludeJob, type JobResult } from './job-result.ts';
import { CONSUMER_TIMES, type ConsumerTimes, lanePrefix, MAX_STALLED } from './queue-options.ts';
import { telemetry } from './telemetry.ts';
import { untilDeadline } from './until-deadline.ts';

// One that takes back at once what it has just handed over would spin.
const HAND_OVER_PAUSE_MS = 500;

/** A bell as its handler hears it. */
export interface Bell {
  readonly account: string;
  readonly lane: Lane;
  readonly job: string;
}

/** What came of a bell; `nothing`: it was one too many. */
export type BellResult = JobResult | { readonly result: 'nothing' };

/** Ends early when the signal aborts, with `hand-over` if something is left. An error makes the job run again. */
export type BellHandler = (bell: Bell, signal: AbortSignal) => Promise<BellResult>;

/** What happens to the jobs of a lane. */
export interface LaneEvents {
  fetched(bell: Bell): void;
  failed(bell: Bell, error: Error): void;
  stalled(account: string, lane: Lane): void;
}

export interface LaneConsumerOptions {
  readonly ns: string;
  readonly account: string;
  readonly lane: Lane;
  /** A `shared` connection for all that does not block; the consumer makes one of its own to block on. */
  readonly redis: Redis;
  /** Jobs worked on at once. */
  readonly concurrency: number;
  readonly handler: BellHandler;
  readonly events: LaneEvents;
  /** Shorter times for tests. */
  readonly times?: ConsumerTimes;
}

/** Consumes one lane of one account. */
export interface LaneConsumer {
  readonly account: string;
  readonly lane: Lane;
  start(): void;
  /** Takes no more, and hands back what is under way. */
  pause(): Promise<void>;
  resume(): void;
  /** Takes no more; at the deadline what is left is handed over. Ends a second after it whatever Redis or a handler does. Idempotent. */
  stop(deadline: AbortSignal): Promise<void>;
}

/** Makes the consumer of a lane; nothing runs before `start`. */
export function createLaneConsumer(options: LaneConsumerOptions): LaneConsumer {
  const { ns, account, lane, redis, concurrency, handler, events, times = CONSUMER_TIMES } = options;
  let stopping: Promise<void> | undefined;
  // Aborted while nothing may run here: a fetch that was under way when that began still brings a job, even to a closing worker.
  let halt = new AbortController();

  const worker = new Worker(
    lane,
    // Three parameters, or bullmq gives no signal.
    async (job: Job, token: string | undefined, signal: AbortSignal | undefined) => {
      if (halt.signal.aborted) return concludeJob(job, token, { result: 'hand-over' });
      const bell = { account, lane, job: job.id ?? '' };
      events.fetched(bell);
      const ended = signal ? AbortSignal.any([signal, halt.signal]) : halt.signal;
      const result = await handler(bell, ended).catch((error: unknown) => {
        throw new JobFailure(error);
      });
      if (result.result === 'hand-over' && !ended.aborted) {
        await delay(HAND_OVER_PAUSE_MS, undefined, { signal: ended }).catch(() => {});
      }
      return result.result === 'nothing' ? null : concludeJob(job, token, result);
    },
    {
      connection: redis,
      prefix: lanePrefix(ns, account),
      concurrency,
      autorun: false,
      lockDuration: times.lockDuration,
      stalledInterval: times.stalledInterval,
      drainDelay: times.drainDelay,
      maxStalledCount: MAX_STALLED,
      skipVersionCheck: true,
      ...telemetry(),
    },
  );
  worker.on('error', () => {});
  worker.on('stalled', () => events.stalled(account, lane));
  worker.on('failed', (job, error) => events.failed({ account, lane, job: job?.id ?? '' }, causeOf(error)));

  return {
    account,
    lane,
    start() {
      if (stopping || worker.isRunning()) return;
      worker.run().catch(() => {});
    },
    async pause() {
      if (stopping) return;
      const paused = worker.pause();
      halt.abort();
      await paused;
    },
    resume() {
      if (stopping) return;
      halt = new AbortController();
      worker.resume();
    },
    stop(deadline) {
      stopping ??= stopWorker(worker, halt, deadline);
      return stopping;
    },
  };
}

async function stopWorker(worker: Worker, halt: AbortController, deadline: AbortSignal): Promise<void> {
  const handBack = () => halt.abort();
  // bullmq must know that it is closing before jobs come back, or it takes them again.
  const closed = worker.close();
  if (deadline.aborted) handBack();
  else deadline.addEventListener('abort', handBack, { once: true });
  await untilDeadline(closed, deadline);
  deadline.removeEventListener('abort', handBack);
}
