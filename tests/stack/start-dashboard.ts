import { resolve } from 'node:path';
import { reservePort, startProcess, type TestProcess } from '@pinegate/testing';
import type { Stack } from './start-stack.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Starts a dashboard beside a stack that was started with this `PINEGATE_SECRET_KEY`. @param more of its environment, in place of what it has */
export async function startDashboard(
  stack: Stack,
  secretKey: string,
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly url: string; readonly process: TestProcess }> {
  const port = await reservePort();
  const env = {
    REDIS_URL: stack.redis.url,
    PINEGATE_SECRET_KEY: secretKey,
    PINEGATE_ADMIN_KEY: stack.adminKey,
    DASHBOARD_PORT: String(port),
    API_URL: stack.apiUrl,
    ...more,
  };
  const args = ['apps/dashboard/src/main.ts'];
  const dashboard = await startProcess({ args, cwd: ROOT, env, readyLine: /"msg":"ready"/ });
  return { url: `http://127.0.0.1:${port}`, process: dashboard };
}
