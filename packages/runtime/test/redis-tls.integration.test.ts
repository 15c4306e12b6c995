import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeRedis, freePort, openRedis, type RedisServer, redisReady, startRedisServer } from '../src/index.ts';

let dir: string;
let server: RedisServer;
let tlsPort: number;

async function certificate(name: string): Promise<void> {
  const made = await generate([{ name: 'commonName', value: 'redis' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  });
  await writeFile(join(dir, `${name}.crt`), made.cert);
  await writeFile(join(dir, `${name}.key`), made.private);
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pinegate-tls-'));
  await Promise.all([certificate('server'), certificate('stranger')]);
  tlsPort = await freePort();
  server = await startRedisServer({
    dir: join(dir, 'data'),
    config: {
      'tls-port': String(tlsPort),
      'tls-cert-file': join(dir, 'server.crt'),
      'tls-key-file': join(dir, 'server.key'),
      'tls-ca-cert-file': join(dir, 'server.crt'),
    },
  });
});
afterAll(async () => {
  await server?.stop();
  await rm(dir, { recursive: true, force: true });
});

const urlOf = (query: Record<string, string>) => `rediss://127.0.0.1:${tlsPort}?${new URLSearchParams(query)}`;

test('a Redis with TLS is used whose authority and client certificate the address names', async () => {
  const files = {
    caFile: join(dir, 'server.crt'),
    certFile: join(dir, 'server.crt'),
    keyFile: join(dir, 'server.key'),
  };
  for (const role of ['producer', 'shared', 'blocking'] as const) {
    const redis = openRedis(urlOf(files), role);
    await redisReady(redis);
    expect(await redis.ping()).toBe('PONG');
    await closeRedis(redis);
  }
});

test('a certificate of another authority is refused', async () => {
  const files = {
    caFile: join(dir, 'stranger.crt'),
    certFile: join(dir, 'server.crt'),
    keyFile: join(dir, 'server.key'),
  };
  const redis = openRedis(urlOf(files), 'producer');
  const { promise, resolve } = Promise.withResolvers<string>();
  redis.on('error', (error: Error & { code?: string }) => resolve(error.code ?? ''));
  expect(await promise).toMatch(/SELF_SIGNED_CERT|UNABLE_TO_VERIFY|DEPTH_ZERO/);
  await closeRedis(redis);
});

test('a file that does not exist is named', () => {
  expect(() => openRedis('rediss://127.0.0.1:1?caFile=/no/such/ca.pem', 'shared')).toThrow('/no/such/ca.pem');
});
