import { type Stack, type StackOptions, startStack } from '../../tests/stack/start-stack.ts';

/** A stack with Redis as users have it: its append-only file is synced every second. Tests leave that to the kernel. */
export function startBenchStack(options: StackOptions): Promise<Stack> {
  const config = { appendfsync: 'everysec', ...options.redis?.config };
  return startStack({ ...options, redis: { ...options.redis, config } });
}
