import { DelayedError, type Job, WaitingError } from 'bullmq';

/** What came of a job; `report` becomes its return value. An error in its place makes the job run again. */
export type JobResult =
  | { readonly result: 'done'; readonly report?: object }
  /** Somebody else goes on with this job, now; spends no attempt. */
  | { readonly result: 'hand-over' }
  /** The job waits; spends no attempt. */
  | { readonly result: 'later'; readonly delayMs: number };

/** The one place that knows bullmq's special errors: neither of them spends an attempt. */
export async function concludeJob(job: Job, token: string | undefined, result: JobResult): Promise<object | null> {
  switch (result.result) {
    case 'done':
      return result.report ?? null;
    case 'hand-over':
      await job.moveToWait(token);
      throw new WaitingError();
    case 'later':
      await job.moveToDelayed(Date.now() + result.delayMs, token);
      throw new DelayedError();
  }
}
