import type { Logger, Redis } from '@pinegate/runtime';

const EVERY_MS = 2_000;
const FULL = 0.9;
const CROWDED = 0.7;

/** Watches how full Redis is. */
export interface MemoryGuard {
  /** 90 % of maxmemory are used: nothing more may be accepted. */
  isFull(): boolean;
  /** 70 % are used: nothing may be cached. */
  isCrowded(): boolean;
  close(): void;
}

/** Looks every 2 s. Without an answer it keeps to what it saw last. */
export function createMemoryGuard(redis: Redis, log: Logger): MemoryGuard {
  let used = 0;
  async function look(): Promise<void> {
    try {
      const before = used;
      used = memoryUse(await redis.info('memory'));
      if (before < FULL && used >= FULL) log.warn('Redis is nearly full: nothing more is accepted');
      if (before >= FULL && used < FULL) log.info('Redis has room again');
    } catch {
      // That Redis is away, its own client says.
    }
  }
  void look();
  const timer = setInterval(look, EVERY_MS);
  timer.unref();
  return {
    isFull: () => used >= FULL,
    isCrowded: () => used >= CROWDED,
    close: () => clearInterval(timer),
  };
}

/** The share of maxmemory that is used, from the text of INFO; 0 where there is no limit. */
export function memoryUse(info: string): number {
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const limit = field('maxmemory');
  return limit === 0 ? 0 : field('used_memory') / limit;
}
