import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Asks for an address every so many ms from a thread of its own, until `stop` answers how long each answer took, ms. */
export function startProbe(url: string, everyMs: number): { stop(): Promise<readonly number[]> } {
  const thread = new Worker(new URL('./threads/probe.ts', import.meta.url), { workerData: { url, everyMs } });
  return {
    async stop() {
      const told = once(thread, 'message');
      thread.postMessage('stop');
      const [took] = (await told) as [readonly number[]];
      await thread.terminate();
      return took;
    },
  };
}
