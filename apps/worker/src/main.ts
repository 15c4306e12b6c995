import { createLifecycle, createLogger, readConfig, startTracing, tellFailedStart } from '@pinegate/runtime';
import { parseConfig } from './parse-config.ts';
import { startWorker } from './start-worker.ts';

const config = readConfig(parseConfig, process.env);
const log = createLogger({ app: 'worker', level: config.logLevel });
const lifecycle = createLifecycle(log);
lifecycle.installSignals({ drainMs: config.drainMs });

try {
  const { otlpEndpoint } = config;
  if (otlpEndpoint !== null) lifecycle.onClose('traces', await startTracing({ app: 'worker', endpoint: otlpEndpoint }));
  const port = await startWorker(config, 'pinegate', lifecycle, log);
  log.info({ port }, 'worker ready');
} catch (error) {
  // A signal while it starts is no failure.
  if (!lifecycle.closing.aborted) {
    process.exitCode = 1;
    tellFailedStart(log, error, { port: config.port, variable: 'WORKER_PORT' });
  }
  await lifecycle.close();
}
