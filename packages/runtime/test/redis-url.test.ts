import { expect, it } from 'vitest';
import { parseRedisUrl } from '../src/redis-url.ts';

it.each([
  ['redis://127.0.0.1', { kind: 'single', tls: false, hosts: [{ host: '127.0.0.1', port: 6379 }], db: 0 }],
  [
    'rediss://u:p%40ss@h:7000/3',
    { tls: true, username: 'u', password: 'p@ss', hosts: [{ host: 'h', port: 7000 }], db: 3 },
  ],
  ['redis://:only@h', { username: undefined, password: 'only' }],
  ['redis://[::1]:7000', { hosts: [{ host: '::1', port: 7000 }] }],
  [
    'redis+cluster://a:1,b:2,c',
    {
      kind: 'cluster',
      hosts: [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
        { host: 'c', port: 6379 },
      ],
    },
  ],
  ['rediss+cluster://u:p@a:1,b:2', { kind: 'cluster', tls: true, password: 'p' }],
  [
    'redis+sentinel://u:p@a,b:2/main/4?sentinelPassword=s%21',
    {
      kind: 'sentinel',
      master: 'main',
      db: 4,
      password: 'p',
      sentinelPassword: 's!',
      hosts: [
        { host: 'a', port: 26379 },
        { host: 'b', port: 2 },
      ],
    },
  ],
])('reads %s', (url, address) => {
  expect(parseRedisUrl(url)).toMatchObject(address);
});

it.each([
  'http://h',
  'h:6379',
  'redis://',
  'redis://a:1,b:2',
  'redis://h:99999',
  'redis://h/x',
  'redis+cluster://a:1/2',
  'redis+sentinel://a:1',
])('refuses %s', (url) => {
  expect(() => parseRedisUrl(url)).toThrow(expect.objectContaining({ code: 'config_invalid' }));
});

it('does not repeat the password in its error', () => {
  expect(() => parseRedisUrl('redis://u:hush-hush@h:1,b:2')).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('hush-hush') }),
  );
});
