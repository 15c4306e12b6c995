import './provided-context.ts';

export { startRedisServer } from '@pinegate/runtime';
