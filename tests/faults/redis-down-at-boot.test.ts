import { reservePort, waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addAccount } from '../stack/start-stack.ts';
import { ALPHA, type FaultStack, openFaultStack, SCRIPT } from './open-fault-stack.ts';

let stack: FaultStack;

beforeAll(async () => {
  stack = await openFaultStack('redis-down', { workers: 0, accounts: [], redis: { started: false } });
});
afterAll(() => stack?.stop());

test('processes that start before Redis answer 503 and are not ready, and recover by themselves when it comes', async () => {
  const port = await reservePort();
  const worker = await stack.startWorker({ ready: false, env: { WORKER_PORT: String(port) } });
  const status = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  expect(await waitFor(() => status('/readyz'), { what: 'the worker to listen' })).toBe(503);
  expect(await status('/healthz')).toBe(200);
  const ready = await waitFor(() => stack.call('GET', '/readyz', { key: null }), { what: 'the api to listen' });
  expect(ready.status).toBe(503);
  expect((await stack.call('GET', '/healthz', { key: null })).status).toBe(200);
  const path = `/v1/scripts/${encodeURIComponent(SCRIPT)}/access/early`;
  const early = await stack.call('PUT', path, { body: { expiresAt: null } });
  expect([early.status, early.body.code]).toEqual([503, 'unavailable']);

  await stack.redis.start();
  await worker.line('worker ready');
  await waitFor(async () => (await stack.call('GET', '/readyz', { key: null })).status === 200, { what: 'readiness' });
  await addAccount(stack, ALPHA);
  await stack.send(SCRIPT, 'early', { kind: 'set', expiresAt: null });
  await stack.expectRight();
});
