import { ConfigError, createLifecycle, createLogger, PreflightError } from '@pinegate/runtime';
import { parseConfig } from './parse-config.ts';
import { startWorker } from './start-worker.ts';

async function main(): Promise<void> {
  const config = parseConfig(process.env);
  const log = createLogger({ app: 'worker', level: config.logLevel });
  const lifecycle = createLifecycle(log);
  lifecycle.installSignals({ drainMs: config.drainMs });
  try {
    const port = await startWorker(config, 'pinegate', lifecycle, log);
    log.info({ port }, 'worker ready');
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
}

main().catch((error: unknown) => {
  const isPlain = error instanceof ConfigError || error instanceof PreflightError;
  process.stderr.write(`worker: ${isPlain ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
