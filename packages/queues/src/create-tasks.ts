import type { Redis } from '@pinegate/runtime';
import { type Job, Worker } from 'bullmq';
import { z } from 'zod';
import { createQueueCache } from './create-queue-cache.ts';
import { causeOf, JobFailure } from './job-failure.ts';
import { concludeJob, type JobResult } from './job-result.ts';
import { CONSUMER_TIMES, MAX_STALLED, sharedPrefix, TASK_RETRIES } from './queue-options.ts';
import { telemetry } from './telemetry.ts';
import { untilDeadline } from './until-deadline.ts';

const account = z.string().regex(/^[a-z0-9-]{1,32}$/);
const username = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/);

/** Payloads by kind: parsed when put on the queue and again before they are worked on. */
const TASKS = {
  'check-session': { queue: 'maintenance', payload: z.strictObject({ account }) },
  refresh: { queue: 'maintenance', payload: z.strictObject({ account, refresh: z.string().min(1).max(100) }) },
  'look-up': { queue: 'validate', payload: z.strictObject({ username }) },
} as const;

/** The kinds of task for all accounts. */
export type TaskKind = keyof typeof TASKS;

/** What a task of a kind carries. */
export type TaskPayload<K extends TaskKind> = z.output<(typeof TASKS)[K]['payload']>;

/**
 * One handler for each kind: a kind without one does not compile. The signal aborts when this process is to end: what takes long hands
 * its task over then.
 */
export type TaskHandlers = {
  readonly [K in TaskKind]: (payload: TaskPayload<K>, signal: AbortSignal) => Promise<JobResult>;
};

export const TASK_QUEUES = ['maintenance', 'validate'] as const;

/** Puts tasks on the queues of all accounts. */
export interface Tasks {
  put<K extends TaskKind>(kind: K, payloads: readonly TaskPayload<K>[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens the producer of tasks. @param redis the caller's to close. */
export function createTasks({ redis, ns }: { readonly redis: Redis; readonly ns: string }): Tasks {
  const cache = createQueueCache(redis);
  return {
    async put(kind, payloads) {
      const { queue, payload } = TASKS[kind];
      const jobs = payloads.map((data) => ({ name: kind, data: payload.parse(data), opts: TASK_RETRIES }));
      await cache.queue(sharedPrefix(ns), queue).addBulk(jobs);
    },
    close: () => cache.close(),
  };
}

/** What happens to the tasks of all accounts. */
export interface TaskEvents {
  failed(queue: string, error: Error): void;
}

/** Works on the tasks of all accounts. */
export interface TaskConsumer {
  /** Takes no more, tells the handlers, and waits for them until the deadline. */
  stop(deadline: AbortSignal): Promise<void>;
}

/** A task that this version does not know, or cannot read, fails and is tried again on schedule: a newer process may know it. */
export class UnknownTaskError extends Error {
  override readonly name = 'UnknownTaskError';
  readonly code = 'UNKNOWN_TASK';
}

/** Starts consuming both queues. @param redis a `shared` connection, the caller's to close. */
export function createTaskConsumer(options: {
  readonly redis: Redis;
  readonly ns: string;
  readonly concurrency: number;
  readonly handlers: TaskHandlers;
  readonly events: TaskEvents;
}): TaskConsumer {
  const { redis, ns, concurrency, handlers, events } = options;
  const halt = new AbortController();
  const run = async (job: Job, token: string | undefined) => {
    // A fetch that was under way when the worker closed still brings a task.
    if (halt.signal.aborted) return concludeJob(job, token, { result: 'hand-over' });
    const result = await runTask(handlers, job.name, job.data, halt.signal).catch((error: unknown) => {
      throw new JobFailure(error);
    });
    return concludeJob(job, token, result);
  };
  const workers = TASK_QUEUES.map((queue) => {
    const worker = new Worker(queue, run, {
      connection: redis,
      prefix: sharedPrefix(ns),
      concurrency,
      lockDuration: CONSUMER_TIMES.lockDuration,
      stalledInterval: CONSUMER_TIMES.stalledInterval,
      drainDelay: CONSUMER_TIMES.drainDelay,
      maxStalledCount: MAX_STALLED,
      skipVersionCheck: true,
      ...telemetry(),
    });
    worker.on('error', () => {});
    worker.on('failed', (_job, error) => events.failed(queue, causeOf(error)));
    return worker;
  });
  return {
    async stop(deadline) {
      // bullmq must know that it is closing before tasks come back, or it takes them again.
      const closed = workers.map((worker) => worker.close());
      halt.abort();
      await untilDeadline(Promise.all(closed), deadline);
    },
  };
}

async function runTask(handlers: TaskHandlers, kind: string, data: unknown, signal: AbortSignal): Promise<JobResult> {
  if (!Object.hasOwn(TASKS, kind)) throw new UnknownTaskError(`no handler for a task of this kind`);
  const task = kind as TaskKind;
  const parsed = TASKS[task].payload.safeParse(data);
  if (!parsed.success) throw new UnknownTaskError(`a ${kind} task with a payload that cannot be read`);
  const handle = handlers[task] as (payload: unknown, signal: AbortSignal) => Promise<JobResult>;
  return handle(parsed.data, signal);
}
