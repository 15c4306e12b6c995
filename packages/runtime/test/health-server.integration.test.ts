import { expect, it, onTestFinished } from 'vitest';
import { createHealthServer, createMetrics, type HealthServerOptions } from '../src/index.ts';

async function start(
  options: Partial<HealthServerOptions> = {},
): Promise<(path: string, method?: string) => Promise<Response>> {
  const server = await createHealthServer({
    host: '127.0.0.1',
    port: 0,
    ready: () => ({ ok: true }),
    live: () => ({ ok: true }),
    metrics: createMetrics('test'),
    ...options,
  });
  onTestFinished(() => server.close());
  return (path, method = 'GET') =>
    fetch(`http://127.0.0.1:${server.port}${path}`, { method, headers: { connection: 'close' } });
}

it('answers each probe for itself', async () => {
  const get = await start({ ready: () => ({ ok: false, reason: 'Redis cannot be reached' }) });
  const [live, ready] = await Promise.all([get('/healthz'), get('/readyz')]);
  expect(live.status).toBe(200);
  expect(await live.json()).toEqual({ status: 'ok' });
  expect(ready.status).toBe(503);
  expect(await ready.json()).toEqual({ status: 'unavailable', reason: 'Redis cannot be reached' });
});

it('counts a probe that fails or hangs as not ok, without saying more', async () => {
  const get = await start({
    live: () => Promise.reject(new Error('internals')),
    ready: () => new Promise(() => {}),
    timeoutMs: 20,
  });
  expect(await (await get('/healthz')).json()).toEqual({ status: 'unavailable', reason: 'the check failed' });
  expect(await (await get('/readyz')).json()).toEqual({ status: 'unavailable', reason: 'no answer in time' });
});

it('serves metrics, and nothing else', async () => {
  const get = await start();
  const metrics = await get('/metrics');
  expect(metrics.headers.get('content-type')).toContain('text/plain');
  expect(await metrics.text()).toContain('process_cpu_seconds_total');
  expect((await get('/other')).status).toBe(404);
  expect((await get('/healthz', 'POST')).status).toBe(405);
});

it('answers 500 when metrics cannot be gathered', async () => {
  const get = await start({ metrics: { contentType: 'text/plain', text: () => Promise.reject(new Error('no')) } });
  expect((await get('/metrics')).status).toBe(500);
});
