import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { reservePort } from '../src/index.ts';

it('gives ports to listen on, each only once, and none that a system gives away by itself or fetch refuses', async () => {
  const ports = await Promise.all(Array.from({ length: 100 }, () => reservePort()));
  expect(new Set(ports).size).toBe(100);
  expect(ports.filter((port) => port <= 10_080 || port >= 16_000)).toEqual([]);
  const server = createServer().listen(ports[0], '127.0.0.1');
  await once(server, 'listening');
  expect(server.address()).toMatchObject({ port: ports[0] });
  server.close();
  await once(server, 'close');
});
