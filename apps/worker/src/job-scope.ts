import { AsyncLocalStorage } from 'node:async_hooks';
import type { Lane } from '@pinegate/access';

/** The job that the code which runs now works for, so that a log line about a request can name it. */
export const jobScope = new AsyncLocalStorage<{ readonly lane: Lane; readonly job: string }>();
