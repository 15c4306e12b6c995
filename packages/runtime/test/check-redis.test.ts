import { expect, it } from 'vitest';
import { checkInfo } from '../src/check-redis.ts';

const info = (version: string, policy: string) =>
  `# Server\r\nredis_version:${version}\r\n# Memory\r\nmaxmemory_policy:${policy}\r\n`;

it.each(['6.2.0', '6.10.1', '7.0.15', '8.0.0'])('accepts Redis %s that does not evict', (version) => {
  expect(() => checkInfo(info(version, 'noeviction'))).not.toThrow();
});

it.each(['5.0.14', '6.0.16', '6.1.9'])('refuses Redis %s', (version) => {
  expect(() => checkInfo(info(version, 'noeviction'))).toThrow(expect.objectContaining({ code: 'redis_too_old' }));
});

it.each(['allkeys-lru', 'volatile-lru', 'volatile-ttl'])(
  'refuses maxmemory-policy %s and says what to set',
  (policy) => {
    expect(() => checkInfo(info('7.2.0', policy))).toThrow(
      expect.objectContaining({ code: 'redis_evicts', message: expect.stringContaining('noeviction') }),
    );
  },
);
