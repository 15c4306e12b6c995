import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createTcpProxy, type TcpProxy } from '../src/index.ts';

let proxy: TcpProxy;
const echo = createServer((socket) => {
  socket.on('error', () => {});
  socket.pipe(socket);
});
const clients: Socket[] = [];

beforeEach(async () => {
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const address = echo.address();
  proxy = await createTcpProxy(typeof address === 'object' ? (address?.port ?? 0) : 0);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.close();
  await new Promise((resolve) => echo.close(resolve));
});

async function open(): Promise<Socket> {
  const client = connect(proxy.port, '127.0.0.1');
  clients.push(client);
  await once(client, 'connect');
  return client;
}

async function roundTrip(client: Socket, text: string): Promise<string> {
  const answer = once(client, 'data');
  client.write(text);
  return String((await answer)[0]);
}

it('lets bytes through both ways', async () => {
  const client = await open();
  expect(await roundTrip(client, 'hello')).toBe('hello');
  expect(proxy.connections).toBe(1);
});

it('breaks connections and refuses new ones while cut, and passes again after', async () => {
  const client = await open();
  await roundTrip(client, 'a');
  const broken = once(client, 'error');
  proxy.cut();
  expect((await broken)[0]).toMatchObject({ code: 'ECONNRESET' });
  const refused = connect(proxy.port, '127.0.0.1');
  clients.push(refused);
  expect((await once(refused, 'error'))[0]).toMatchObject({ code: 'ECONNRESET' });
  proxy.resume();
  expect(await roundTrip(await open(), 'b')).toBe('b');
});

it('holds everything back while half open and delivers it in order when resumed', async () => {
  const client = await open();
  await roundTrip(client, 'a');
  proxy.halfOpen();
  let received = '';
  client.on('data', (data) => {
    received += data;
  });
  client.write('b');
  const later = await open();
  later.write('c');
  expect(received).toBe('');
  const answers = Promise.all([once(client, 'data'), once(later, 'data')]);
  proxy.resume();
  expect((await answers).map(([data]) => String(data))).toEqual(['b', 'c']);
});

it('delays each way', async () => {
  const client = await open();
  await roundTrip(client, 'a');
  proxy.delay(60);
  const begin = performance.now();
  await roundTrip(client, 'b');
  expect(performance.now() - begin).toBeGreaterThan(100);
});

it('resets once', async () => {
  const client = await open();
  await roundTrip(client, 'a');
  const broken = once(client, 'error');
  proxy.reset();
  await broken;
  expect(await roundTrip(await open(), 'b')).toBe('b');
});
