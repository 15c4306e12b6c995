import { expect, test } from 'vitest';
import { trustedProxiesSchema } from '../src/index.ts';

test.each([
  [undefined, []],
  ['', []],
  ['10.0.0.0/8, 192.168.1.7', ['10.0.0.0/8', '192.168.1.7']],
  ['loopback,fd00::/8,::1', ['loopback', 'fd00::/8', '::1']],
])('%s names the proxies %j', (text, proxies) => {
  expect(trustedProxiesSchema.parse(text)).toEqual(proxies);
});

test.each(['true', '1', '*', '10.0.0.0/33', '10.0.0.0/8/8', 'proxy.example', '10.0.0.0/'])('%s is refused', (text) => {
  expect(trustedProxiesSchema.safeParse(text).success).toBe(false);
});
