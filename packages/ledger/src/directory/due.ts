import type { Redis } from '@pinegate/runtime';
import type { Directory } from '../directory-types.ts';
import type { DirectoryNames } from './directory-names.ts';

/** `Directory.due`. */
export function buildDue(redis: Redis, names: DirectoryNames): Directory['due'] {
  return {
    async mark(account, at) {
      await redis.zadd(names.due, 'LT', at, account);
    },
    ready: (now, limit) => redis.zrangebyscore(names.due, '-inf', now, 'LIMIT', 0, limit),
    async set(account, at) {
      if (at === null) await redis.zrem(names.due, account);
      else await redis.zadd(names.due, at, account);
    },
  };
}
