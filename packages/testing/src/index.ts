import './provided-context.ts';

export { checkHistory, type Verdict } from './checker/check-history.ts';
export type {
  AccessReading,
  BatchReading,
  RecordedChange,
  RecordedHistory,
  RecordedMember,
  RecordedOperation,
  RecordedWrite,
  Violation,
} from './checker/recorded-history.ts';
export { createLatch, type Latch } from './latch.ts';
export { randomNamespace } from './namespace.ts';
export { startTestRedisCluster, type TestRedisCluster } from './redis-cluster.ts';
export { startTestSentinel, type TestSentinel } from './redis-sentinel.ts';
export { reservePort } from './reserve-port.ts';
export { type Exit, type StartProcessOptions, startProcess, type TestProcess } from './start-process.ts';
export { createTcpProxy, type TcpProxy } from './tcp-proxy.ts';
export { startTestRedis, type TestRedis, type TestRedisOptions } from './test-redis.ts';
export { type WaitForOptions, waitFor } from './wait-for.ts';
