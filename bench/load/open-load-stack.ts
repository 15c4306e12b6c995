import { randomBytes } from 'node:crypto';
import { closeRedis, openRedis, type Redis } from '@pinegate/runtime';
import type { TestProcess } from '@pinegate/testing';
import { startDashboard } from '../../tests/stack/start-dashboard.ts';
import { type Stack, UNLIMITED } from '../../tests/stack/start-stack.ts';
import { startBenchStack } from '../harness/start-bench-stack.ts';
import type { LoadSettings } from './parse-load.ts';

/** Everything that a load runs on. */
export interface LoadStack {
  readonly stack: Stack;
  readonly dashboard: { readonly url: string; readonly process: TestProcess };
  /** To look into the stack's Redis with. */
  readonly redis: Redis;
  readonly scripts: readonly string[];
  stop(): Promise<void>;
}

const DAY_S = 86_400;

/** Starts the real processes, with a dashboard, and retention as short as asked. */
export async function openLoadStack(settings: LoadSettings, seed: string): Promise<LoadStack> {
  const secretKey = randomBytes(32).toString('base64');
  const scripts = Array.from({ length: settings.accounts }, (_, n) => `PUB;${n.toString(16).padStart(32, '0')}`);
  const env = { PINEGATE_SECRET_KEY: secretKey, RETENTION_DAYS: (settings.retentionS / DAY_S).toFixed(6) };
  const config = { budgets: UNLIMITED, maxInFlight: 200 };
  const accounts = scripts.map((script, n) => ({ id: `load-${n}`, scripts: [script], config }));
  const stack = await startBenchStack({ workers: settings.workers, seed, env, accounts });
  const closers: (() => Promise<unknown>)[] = [() => stack.stop()];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    await stack.sandbox('POST', '/__sandbox/configure', { latency: { fixed: settings.latencyMs } });
    const dashboard = await startDashboard(stack, secretKey);
    closers.push(() => dashboard.process.stop());
    const redis = openRedis(stack.redis.url, 'producer');
    closers.push(() => closeRedis(redis));
    return { stack, dashboard, redis, scripts, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
