import { RuntimeError } from './runtime-error.ts';

export type RedisServerErrorCode = 'redis_server_missing' | 'redis_server_failed' | 'redis_server_running';

/** A private redis-server that cannot be started; the message is a sentence saying what to change. */
export class RedisServerError extends RuntimeError {
  override readonly name = 'RedisServerError';
  declare readonly code: RedisServerErrorCode;

  constructor(code: RedisServerErrorCode, message: string, cause?: unknown) {
    super(code, message, cause);
  }
}
