import cluster, { type Worker } from 'node:cluster';
import { type Channel, createChannel } from './channel.ts';

/** A running child. */
export type Child = {
  readonly pid: number;
  readonly channel: Channel;
  /** Resolves once it has reported to be ready; rejects if it ends before. */
  readonly ready: Promise<void>;
  isReady(): boolean;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  signal(name: NodeJS.Signals): void;
};

/** Forks a copy of this process, which answers on its channel. */
export function forkChild(answerMetrics: () => Promise<string>): Child {
  const worker = cluster.fork();
  const channel = channelOf(worker);
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {});
  let isReady = false;
  channel.answer('ready', () => {
    isReady = true;
    ready.resolve();
  });
  channel.answer('metrics of all', answerMetrics);
  channel.answer('settled', () => undefined);
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    worker.once('exit', (code, signal) => {
      ready.reject(new Error(`the process ended (${code ?? signal}) before it was ready`));
      resolve({ code, signal });
    });
  });
  return {
    pid: worker.process.pid ?? -1,
    channel,
    ready: ready.promise,
    isReady: () => isReady,
    exited,
    // Not worker.kill: that disconnects first, and the child would end at once.
    signal: (name) => void worker.process.kill(name),
  };
}

function channelOf(worker: Worker): Channel {
  return createChannel({
    // A child that has just died cannot be told anything; its exit says so.
    send: (message) => worker.send(message, () => {}),
    on: (event, read) => worker.on(event, read),
    isConnected: () => worker.isConnected(),
  });
}
