import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess, waitFor } from '@pinegate/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { askRedis } from '../src/ask-redis.ts';
import { freePort, type RedisServer, startRedisServer } from '../src/index.ts';

let dir: string;
const servers: RedisServer[] = [];

async function start(options: Partial<Parameters<typeof startRedisServer>[0]> = {}): Promise<RedisServer> {
  const server = await startRedisServer({ dir, ...options });
  servers.push(server);
  return server;
}

const ask = ({ port }: RedisServer, command: string) => askRedis(port, command, 60_000);

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pinegate-server-'));
});

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  await rm(dir, { recursive: true, force: true });
});

it('answers on a free port with eviction off, and is gone after stop', async () => {
  const server = await start();
  expect(server.url).toBe(`redis://127.0.0.1:${server.port}`);
  expect(await ask(server, 'CONFIG GET maxmemory-policy')).toContain('noeviction');
  await Promise.all([server.stop(), server.stop()]);
  expect(await askRedis(server.port, 'PING')).toBeNull();
});

it('keeps what it was told when it is killed and started again with an append-only file', async () => {
  const first = await start({ appendOnly: true });
  await ask(first, 'SET kept yes');
  // While its file is being synced, Redis hands it nothing for up to two seconds.
  await waitFor(async () => (await ask(first, 'INFO persistence'))?.includes('aof_buffer_length:0\r'), {
    what: 'the append-only file to have it',
  });
  process.kill(first.pid, 'SIGKILL');
  await first.exited;
  const second = await start({ appendOnly: true, port: first.port });
  expect(await ask(second, 'GET kept')).toContain('yes');
});

it('refuses a directory whose server is running', async () => {
  await start();
  await expect(startRedisServer({ dir })).rejects.toMatchObject({ code: 'redis_server_running' });
});

it('says what redis-server complained of when it does not start', async () => {
  await expect(startRedisServer({ dir, config: { 'no-such-directive': '1' } })).rejects.toMatchObject({
    code: 'redis_server_failed',
  });
});

it('refuses a port that another server holds', async () => {
  const first = await start();
  const other = await mkdtemp(join(tmpdir(), 'pinegate-server-'));
  await expect(startRedisServer({ dir: other, port: first.port })).rejects.toMatchObject({
    code: 'redis_server_failed',
    message: expect.stringContaining('Address already in use'),
  });
  await rm(other, { recursive: true });
});

it('stops a server that is frozen', async () => {
  const server = await start({ port: await freePort() });
  process.kill(server.pid, 'SIGSTOP');
  await server.stop();
  expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
});

it('ends with its parent, even one that was killed', async () => {
  const fixture = fileURLToPath(new URL('./fixtures/redis-parent.ts', import.meta.url));
  const parent = await startProcess({ args: [fixture, dir], readyLine: 'ready' });
  const pid = Number(parent.lines[0]?.split(' ')[1]);
  expect(process.kill(pid, 0)).toBe(true);
  await parent.kill();
  await waitFor(() => !isAlive(pid), { what: 'the end of redis-server' });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
