import {
  createLifecycle,
  createLogger,
  isSupervisor,
  readConfig,
  reportReady,
  startTracing,
  superviseProcesses,
  tellFailedStart,
} from '@pinegate/runtime';
import { parseConfig } from './parse-config.ts';
import { startApi } from './start-api.ts';

const DRAIN_MS = 25_000;
// Longer than its children drain, so that it never cuts them short.
const SUPERVISOR = { drainMs: DRAIN_MS + 5_000, ignore: ['SIGHUP'] } as const;

const config = readConfig(parseConfig, process.env);
const log = createLogger({
  app: 'api',
  level: config.logLevel,
  secrets: config.adminKey === null ? [] : [config.adminKey],
});
const lifecycle = createLifecycle(log);
const supervises = isSupervisor(config.processes);
lifecycle.installSignals(supervises ? SUPERVISOR : { drainMs: DRAIN_MS });

try {
  const { otlpEndpoint } = config;
  if (otlpEndpoint !== null) lifecycle.onClose('traces', await startTracing({ app: 'api', endpoint: otlpEndpoint }));
  const port = supervises
    ? await superviseProcesses({ count: config.processes, lifecycle, log }).then(() => config.port)
    : await startApi(config, lifecycle, log, (error) => void stop(error));
  await reportReady();
  log.info({ host: config.host, port }, 'ready');
} catch (error) {
  await stop(error);
}

async function stop(err: unknown): Promise<never> {
  tellFailedStart(log, err, { port: config.port, variable: 'API_PORT' });
  await lifecycle.close();
  process.exit(1);
}
