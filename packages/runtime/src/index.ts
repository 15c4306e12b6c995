export { freePort } from './free-port.ts';
export { createLogger, LOG_LEVELS, type Logger, type LoggerOptions, type LogLevel } from './logger.ts';
export { RedisServerError, type RedisServerErrorCode } from './redis-server-error.ts';
export { RuntimeError } from './runtime-error.ts';
export { type RedisServer, type RedisServerOptions, startRedisServer } from './start-redis-server.ts';
