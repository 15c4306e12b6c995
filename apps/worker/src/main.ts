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
import { leanHttp2 } from '@pinegate/tradingview';
import { parseConfig } from './parse-config.ts';
import { startWorker } from './start-worker.ts';

leanHttp2();
const config = readConfig(parseConfig, process.env);
const log = createLogger({ app: 'worker', level: config.logLevel });
const lifecycle = createLifecycle(log);
const { host, port, processes, drainMs } = config;
const supervises = isSupervisor(processes);
// Longer than its children drain, so that it never cuts them short.
lifecycle.installSignals(supervises ? { drainMs: drainMs + 5_000, ignore: ['SIGHUP'] } : { drainMs });

try {
  const { otlpEndpoint } = config;
  if (otlpEndpoint !== null) lifecycle.onClose('traces', await startTracing({ app: 'worker', endpoint: otlpEndpoint }));
  const listening = supervises
    ? await superviseProcesses({ count: processes, health: { host, port }, lifecycle, log })
    : await startWorker(config, 'pinegate', lifecycle, log);
  await reportReady();
  log.info({ port: listening }, 'worker ready');
} catch (error) {
  // A signal while it starts is no failure.
  if (!lifecycle.closing.aborted) {
    process.exitCode = 1;
    tellFailedStart(log, error, { port, variable: 'WORKER_PORT' });
  }
  await lifecycle.close();
}
