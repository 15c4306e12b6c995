import type { Logger } from './logger.ts';
import type { Redis } from './open-redis.ts';
import { startRounds } from './start-rounds.ts';

const EVERY_MS = 2_000;
const FULL = 0.9;
const CROWDED = 0.7;

/** Watches how full Redis is. */
export interface MemoryGuard {
  /** 90 % of maxmemory are used: nothing more may be accepted. */
  isFull(): boolean;
  /** 70 % are used of a memory that evicts nothing: nothing may be cached. */
  isCrowded(): boolean;
  close(): void;
}

/** Looks at a Redis every 2 s. Without an answer it keeps to what it saw last. */
export function createMemoryGuard(redis: Redis, log: Logger): MemoryGuard {
  let used = 0;
  let evicts = false;
  async function look(): Promise<void> {
    try {
      const before = used;
      const info = await redis.info('memory');
      used = memoryUse(info);
      evicts = evictsKeys(info);
      if (before < FULL && used >= FULL) log.warn('Redis is nearly full: nothing more is accepted');
      if (before >= FULL && used < FULL) log.info('Redis has room again');
    } catch {
      // That Redis is away, its own client says.
    }
  }
  void look();
  const rounds = startRounds(EVERY_MS, look);
  return {
    isFull: () => used >= FULL,
    isCrowded: () => used >= CROWDED && !evicts,
    close: () => void rounds.stop(),
  };
}

/** The share of maxmemory that is used, from the text of INFO; 0 where there is no limit. */
export function memoryUse(info: string): number {
  const { used, max } = memoryBytes(info);
  return max === 0 ? 0 : used / max;
}

/** Bytes in use and at most (0 = no limit), from the text of INFO. */
export function memoryBytes(info: string): { readonly used: number; readonly max: number } {
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return { used: field('used_memory'), max: field('maxmemory') };
}

/** Whether a full Redis makes room by itself, as one that is only a cache does. */
export function evictsKeys(info: string): boolean {
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction';
  return policy !== 'noeviction';
}
