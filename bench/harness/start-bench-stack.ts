import { startTestRedis, type TestRedis } from '@pinegate/testing';
import { type Stack, type StackOptions, startStack } from '../../tests/stack/start-stack.ts';

/** Redis as users have it: its append-only file is synced every second. Tests leave that to the kernel. */
const AS_USERS_HAVE_IT = { appendfsync: 'everysec' };

/** A stack with such a Redis. */
export function startBenchStack(options: StackOptions): Promise<Stack> {
  const config = { ...AS_USERS_HAVE_IT, ...options.redis?.config };
  return startStack({ ...options, redis: { ...options.redis, config } });
}

/** Such a Redis alone. */
export function startBenchRedis(): Promise<TestRedis> {
  return startTestRedis({ config: AS_USERS_HAVE_IT });
}
