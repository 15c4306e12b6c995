import type { Redis } from '@pinegate/runtime';
import type { DefaultJobOptions, QueueOptions } from 'bullmq';
import { telemetry } from './telemetry.ts';

/** What a lane's queue is called: the lane itself, under the account's hash tag. */
export function lanePrefix(ns: string, account: string): string {
  return `{${ns}:${account}}`;
}

/** Prefix of the queues of all accounts. */
export function sharedPrefix(ns: string): string {
  return `{${ns}}`;
}

const HOUR_S = 3600;
/** For who looks at the board: some 1.2 kB each, in every lane that was ever used. */
const KEPT_COMPLETED = 100;
const KEPT_FAILED = 200;
/** Nobody reads them: bullmq writes them all the same, some 90 bytes each. */
const KEPT_EVENTS = 100;
const PROGRAM_ERROR_RETRIES = 8;

/** Retries are for transient faults of Redis (a moved slot): what upstream answers never fails a job. */
const JOB: DefaultJobOptions = {
  attempts: PROGRAM_ERROR_RETRIES,
  backoff: { type: 'exponential', delay: 250, jitter: 0.5 },
  removeOnComplete: { age: HOUR_S, count: KEPT_COMPLETED },
  removeOnFail: { age: 24 * HOUR_S, count: KEPT_FAILED },
};

/** A task that only a newer process can read is tried again over a rolling deploy: twelve times in about half an hour to an hour. */
export const TASK_RETRIES: DefaultJobOptions = {
  attempts: 12,
  backoff: { type: 'exponential', delay: 1_000, jitter: 0.5 },
};

/** A producer must fail within a second when Redis is away, never hang: bullmq's own waits are switched off. */
export function producerOptions(redis: Redis, prefix: string): QueueOptions {
  return {
    connection: redis,
    prefix,
    skipVersionCheck: true,
    skipWaitingForReady: true,
    streams: { events: { maxLen: KEPT_EVENTS } },
    defaultJobOptions: JOB,
    ...telemetry(),
  };
}

/** Times of the consumers, ms unless named otherwise. */
export interface ConsumerTimes {
  readonly lockDuration: number;
  readonly stalledInterval: number;
  /** Seconds that one blocking read lasts while the queue is empty. */
  readonly drainDelay: number;
}

/** A job whose worker died is run again within lockDuration + 2 × stalledInterval. */
export const CONSUMER_TIMES: ConsumerTimes = { lockDuration: 15_000, stalledInterval: 10_000, drainDelay: 60 };

/** Two deploys in a row must not fail a healthy job. */
export const MAX_STALLED = 10;
