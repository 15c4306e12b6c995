import { ConfigError, checkRedis, createLifecycle, createLogger, PreflightError, redisReady } from '@pinegate/runtime';
import { buildApp } from './build-app.ts';
import { openContext } from './open-context.ts';
import { type DashboardConfig, parseConfig } from './parse-config.ts';

const DRAIN_MS = 5_000;
const NAMESPACE = 'pinegate';

const config = readConfig();
const secrets = config.adminKey === null ? [] : [config.adminKey];
const log = createLogger({ app: 'dashboard', level: config.logLevel, secrets });
const lifecycle = createLifecycle(log);
lifecycle.installSignals({ drainMs: DRAIN_MS });

try {
  const context = openContext(config, NAMESPACE, log, lifecycle);
  await redisReady(context.redis, lifecycle.closing);
  await checkRedis(context.redis);
  const app = await buildApp(context);
  lifecycle.onClose('http', () => app.close());
  await app.listen({ host: config.host, port: config.port });
  log.info({ host: config.host, port: config.port }, 'ready');
} catch (error) {
  if (!lifecycle.closing.aborted) await stop(error);
}

function readConfig(): DashboardConfig {
  try {
    return parseConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

async function stop(err: unknown): Promise<void> {
  process.exitCode = 1;
  const isTaken = err instanceof Error && 'code' in err && err.code === 'EADDRINUSE';
  if (err instanceof PreflightError) log.fatal(err.message);
  else if (isTaken) log.fatal({ port: config.port }, 'the port is taken: set DASHBOARD_PORT to another one');
  else log.fatal({ err }, 'the dashboard could not start');
  await lifecycle.close();
}
