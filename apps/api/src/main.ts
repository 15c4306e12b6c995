import { createLifecycle, createLogger, readConfig, startTracing, tellFailedStart } from '@pinegate/runtime';
import { buildApp } from './build-app.ts';
import { openContext } from './open-context.ts';
import { parseConfig } from './parse-config.ts';
import { runPreflight } from './preflight.ts';

const DRAIN_MS = 25_000;

const config = readConfig(parseConfig, process.env);
const log = createLogger({
  app: 'api',
  level: config.logLevel,
  secrets: config.adminKey === null ? [] : [config.adminKey],
});
const lifecycle = createLifecycle(log);
lifecycle.installSignals({ drainMs: DRAIN_MS });

try {
  const { otlpEndpoint } = config;
  if (otlpEndpoint !== null) lifecycle.onClose('traces', await startTracing({ app: 'api', endpoint: otlpEndpoint }));
  const context = openContext(config, log, lifecycle);
  await runPreflight(context.redis, context.ns, lifecycle.closing, (error) => void stop(error));
  const app = await buildApp(context);
  lifecycle.onClose('http', (deadline) => {
    // An upload that goes on for longer is cut: it resumes under its key.
    deadline.addEventListener('abort', () => app.server.closeAllConnections(), { once: true });
    return app.close();
  });
  await app.listen({ host: config.host, port: config.port });
  log.info({ host: config.host, port: portOf(app.server.address()) }, 'ready');
} catch (error) {
  await stop(error);
}

async function stop(err: unknown): Promise<never> {
  tellFailedStart(log, err, { port: config.port, variable: 'API_PORT' });
  await lifecycle.close();
  process.exit(1);
}

function portOf(address: ReturnType<import('node:http').Server['address']>): number {
  return typeof address === 'object' && address !== null ? address.port : config.port;
}
