import cluster from 'node:cluster';
import { type Channel, createChannel } from './channel.ts';

const READY_MS = 10_000;

let channel: Channel | undefined;

/** The channel to the process that supervises this one; null in a process that nobody supervises. */
export function parentChannel(): Channel | null {
  if (!cluster.isWorker) return null;
  channel ??= createChannel({
    send: (message) => process.send?.(message),
    on: (event, read) => process.on(event, read),
    isConnected: () => process.connected,
  });
  return channel;
}

/** Tells the supervising process, if there is one, that this one may be counted on. */
export async function reportReady(): Promise<void> {
  await parentChannel()?.ask('ready', READY_MS);
}

/**
 * Resolves when all that the supervisor had sent here before it knew what this process told it is dealt with, on both sides: connections
 * handed to a server that has closed go back to it, and would be lost if this process ended first.
 */
export async function settleWithParent(): Promise<void> {
  // Messages keep their order: the first answer comes after those connections, the second after their return.
  for (let round = 0; round < 2; round += 1) await parentChannel()?.ask('settled', READY_MS);
}
