import { join } from 'node:path';
import type { ChildPlan } from './create-children.ts';
import type { DemoSecrets } from './demo-secrets.ts';
import type { Ports } from './ports.ts';

export interface PlanInput {
  readonly root: string;
  readonly data: string;
  readonly ports: Ports;
  readonly secrets: DemoSecrets;
  readonly redisUrl: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface ProcessPlan {
  readonly sandbox: ChildPlan;
  readonly api: ChildPlan;
  readonly workers: readonly ChildPlan[];
  readonly dashboard: ChildPlan;
}

/** Which processes the demo is, each with its environment. */
export function planProcesses({ root, data, ports, secrets, redisUrl, env }: PlanInput): ProcessPlan {
  const main = (app: string) => join(root, 'apps', app, 'src/main.ts');
  const url = (port: number, path: string) => `http://127.0.0.1:${port}${path}`;
  const certificate = join(data, 'sandbox-certificate.pem');
  const inherited = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('PINEGATE_')));
  const common = {
    ...inherited,
    REDIS_URL: redisUrl,
    PINEGATE_SECRET_KEY: secrets.secretKey,
    PINEGATE_ADMIN_KEY: secrets.adminKey,
    API_HOST: '127.0.0.1',
    WORKER_HOST: '127.0.0.1',
    DASHBOARD_HOST: '127.0.0.1',
  };
  const worker = (name: string, port: number): ChildPlan => ({
    name,
    main: main('worker'),
    ready: url(port, '/readyz'),
    shows: url(port, '/metrics'),
    env: {
      ...common,
      WORKER_PORT: String(port),
      TRADINGVIEW_BASE_URL: `https://127.0.0.1:${ports.sandboxTls}`,
      TRADINGVIEW_CA_FILE: certificate,
    },
  });
  return {
    sandbox: {
      name: 'sandbox',
      main: main('sandbox'),
      ready: url(ports.sandbox, '/__sandbox/health'),
      shows: `${url(ports.sandbox, '')} (stands in for TradingView)`,
      env: {
        ...inherited,
        SANDBOX_HOST: '127.0.0.1',
        SANDBOX_PORT: String(ports.sandbox),
        SANDBOX_TLS_PORT: String(ports.sandboxTls),
        SANDBOX_CERT_FILE: certificate,
        SANDBOX_SETUP_FILE: join(root, 'scripts/start/sandbox-setup.json'),
      },
    },
    api: {
      name: 'api',
      main: main('api'),
      ready: url(ports.api, '/readyz'),
      shows: url(ports.api, '/docs'),
      env: { ...common, API_PORT: String(ports.api) },
    },
    workers: [worker('worker 1', ports.worker), worker('worker 2', ports.secondWorker)],
    dashboard: {
      name: 'dashboard',
      main: main('dashboard'),
      ready: url(ports.dashboard, '/readyz'),
      shows: url(ports.dashboard, '/'),
      env: { ...common, DASHBOARD_PORT: String(ports.dashboard), API_URL: url(ports.api, '') },
    },
  };
}
