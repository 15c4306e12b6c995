import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from '@pinegate/runtime';

/**
 * Commands that clients send to Redis in so many seconds, by what they are; what a script calls is not counted, nor is this client. A
 * script goes by its first key, of which numbers and accounts are left out.
 */
export async function countCommands(redis: Redis, seconds: number, signal: AbortSignal): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const monitor = await redis.monitor();
  try {
    monitor.on('monitor', (_time: string, args: readonly string[], source: string) => {
      if (source === 'lua') return;
      const name = commandName(args);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    });
    await pause(seconds * 1000, undefined, { signal });
  } finally {
    monitor.disconnect();
  }
  return counts;
}

const SCRIPTED = new Set(['evalsha', 'eval', 'fcall']);

function commandName([command = '', ...args]: readonly string[]): string {
  const name = command.toLowerCase();
  const key = (SCRIPTED.has(name) ? args[2] : args[0]) ?? '';
  return `${name} ${key.replace(/\{pinegate:[^}]*\}/, '{account}').replace(/[0-9a-f]{8,}|\d+/g, '#')}`.trim();
}
