import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** A streamed body of `rows` lines, in each of which `%` is the number of the line from 0. */
export interface UploadOrder {
  readonly url: string;
  readonly key: string;
  /** Its media type. */
  readonly type: string;
  readonly header: string;
  readonly line: string;
  readonly rows: number;
}

export interface UploadResult {
  readonly status: number;
  readonly text: string;
  /** From the first byte sent to the end of the answer. */
  readonly seconds: number;
  readonly bytes: number;
  /** What the client's thread has cost, the building of the body included. */
  readonly cpuMs: number;
}

/** Gets an upload ready in a thread of its own, whose event loop nothing else waits for; `send` then sends it. */
export async function prepareUpload(order: UploadOrder): Promise<{ send(): Promise<UploadResult> }> {
  const thread = new Worker(new URL('./threads/upload.ts', import.meta.url), { workerData: order });
  await once(thread, 'message');
  return {
    async send() {
      const answered = once(thread, 'message');
      thread.postMessage('go');
      const [result] = (await answered) as [UploadResult];
      await thread.terminate();
      return result;
    },
  };
}
