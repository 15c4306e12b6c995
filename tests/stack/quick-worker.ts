import { createLifecycle, createLogger, readConfig } from '@pinegate/runtime';
import { parseConfig } from '../../apps/worker/src/parse-config.ts';
import { startWorker } from '../../apps/worker/src/start-worker.ts';

// The worker as it is, but for the times of its queue consumers, which are no setting: with 15 s of lock and 10 s between looks
// for stalled jobs every test of a dead worker would take half a minute.
const consumerTimes = { lockDuration: 3_000, stalledInterval: 2_000, drainDelay: 5 };

const config = readConfig(parseConfig, process.env);
const log = createLogger({ app: 'worker', level: config.logLevel });
const lifecycle = createLifecycle(log);
lifecycle.installSignals({ drainMs: config.drainMs });
const port = await startWorker({ ...config, consumerTimes }, 'pinegate', lifecycle, log);
log.info({ port }, 'worker ready');
