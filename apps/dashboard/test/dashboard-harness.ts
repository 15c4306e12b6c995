import { randomBytes } from 'node:crypto';
import { createLifecycle, createLogger, redisReady } from '@pinegate/runtime';
import { randomNamespace } from '@pinegate/testing';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { buildApp } from '../src/build-app.ts';
import { type DashboardContext, openContext } from '../src/open-context.ts';

export const ADMIN_KEY = 'admin-key-of-the-tests';

export interface DashboardHarness {
  readonly app: FastifyInstance;
  readonly context: DashboardContext;
  readonly ns: string;
  readonly logged: readonly string[];
  logIn(key: string): Promise<LightMyRequestResponse>;
  /** The cookie header of a login with this key. */
  cookieOf(key: string): Promise<string>;
  get(url: string, cookie?: string): Promise<LightMyRequestResponse>;
  put(url: string, cookie: string): Promise<LightMyRequestResponse>;
  close(): Promise<void>;
}

export async function openDashboardHarness(redisUrl: string): Promise<DashboardHarness> {
  const ns = randomNamespace();
  const logged: string[] = [];
  const destination = { write: (line: string) => void logged.push(line) };
  const log = createLogger({ app: 'dashboard', level: 'info', secrets: [ADMIN_KEY], destination });
  const lifecycle = createLifecycle(log);
  const config = {
    host: '127.0.0.1',
    port: 0,
    redisUrl,
    secretKey: randomBytes(32),
    adminKey: ADMIN_KEY,
    logLevel: 'info' as const,
    otlpEndpoint: null,
    apiUrl: 'http://api.example:5000',
    trustedProxies: [],
  };
  const context = openContext(config, ns, log, lifecycle);
  // Or a request would fail whenever this process stands still for a second.
  Object.assign(context.redis.options, { commandTimeout: 60_000, socketTimeout: 60_000 });
  await redisReady(context.redis);
  const budget = { start: 5, min: 0.5, max: 1_000, adaptive: true };
  const budgets = { grant: budget, revoke: budget, list: budget, lookup: budget };
  await context.directory.accounts.put('first', { scripts: [], budgets, maxInFlight: 24 });
  const app = await buildApp(context);
  lifecycle.onClose('http', () => app.close());

  const logIn = (key: string) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return app.inject({ method: 'POST', url: '/login', headers, payload: `key=${encodeURIComponent(key)}` });
  };
  return {
    app,
    context,
    ns,
    logged,
    logIn,
    async cookieOf(key) {
      const [cookie] = (await logIn(key)).cookies;
      return `${cookie?.name}=${cookie?.value}`;
    },
    get: (url, cookie) => app.inject({ method: 'GET', url, headers: cookie === undefined ? {} : { cookie } }),
    put: (url, cookie) => app.inject({ method: 'PUT', url, headers: { cookie } }),
    close: () => lifecycle.close(),
  };
}
