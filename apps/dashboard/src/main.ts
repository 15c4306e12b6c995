import {
  checkRedis,
  createLifecycle,
  createLogger,
  readConfig,
  redisReady,
  startTracing,
  tellFailedStart,
} from '@pinegate/runtime';
import { buildApp } from './build-app.ts';
import { openContext } from './open-context.ts';
import { parseConfig } from './parse-config.ts';

const DRAIN_MS = 5_000;
const NAMESPACE = 'pinegate';

const config = readConfig(parseConfig, process.env);
const secrets = config.adminKey === null ? [] : [config.adminKey];
const log = createLogger({ app: 'dashboard', level: config.logLevel, secrets });
const lifecycle = createLifecycle(log);
lifecycle.installSignals({ drainMs: DRAIN_MS });

try {
  const { otlpEndpoint } = config;
  if (otlpEndpoint !== null)
    lifecycle.onClose('traces', await startTracing({ app: 'dashboard', endpoint: otlpEndpoint }));
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

async function stop(err: unknown): Promise<void> {
  process.exitCode = 1;
  tellFailedStart(log, err, { port: config.port, variable: 'DASHBOARD_PORT' });
  await lifecycle.close();
}
