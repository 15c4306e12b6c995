import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Requests that differ in a number only. */
export interface LoadOrder {
  readonly host: string;
  readonly port: number;
  /** Request line and headers, each line with its CRLF, but for the length; `#` is the number of the request. */
  readonly head: string;
  readonly body: string;
  readonly connections: number;
  /** Requests a second; null: as many as are answered. */
  readonly perSecond: number | null;
  readonly seconds: number;
  /** Number of the first request. */
  readonly first: number;
}

export interface LoadResult {
  /** ms from when a request was due to its answer. */
  readonly took: readonly number[];
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** What the client's thread has cost. */
  readonly cpuMs: number;
}

/** Sends the requests from a thread of its own, over connections that are open before the clock starts. */
export async function runLoad(order: LoadOrder): Promise<LoadResult> {
  const thread = new Worker(new URL('./threads/load.ts', import.meta.url), { workerData: order });
  try {
    await once(thread, 'message');
    const told = once(thread, 'message');
    thread.postMessage('start');
    const [result] = (await told) as [LoadResult];
    return result;
  } finally {
    await thread.terminate();
  }
}
