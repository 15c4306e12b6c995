import { type Lifecycle, type Logger, stopListening } from '@pinegate/runtime';
import { buildApp } from './build-app.ts';
import { openContext } from './open-context.ts';
import type { ApiConfig } from './parse-config.ts';
import { runPreflight } from './preflight.ts';

const LINGER_MS = 2_000;

/**
 * Starts the api, each closer beside its opener. Resolves to the port it listens on; `refuse` is told when a Redis that
 * was down at the start turns out to be none that the api can use.
 */
export async function startApi(
  config: ApiConfig,
  lifecycle: Lifecycle,
  log: Logger,
  refuse: (error: unknown) => void,
): Promise<number> {
  const context = openContext(config, log, lifecycle);
  await runPreflight(context.redis, context.ns, lifecycle.closing, refuse);
  const app = await buildApp(context);
  lifecycle.onClose('http', async (deadline) => {
    await stopListening(app.server, LINGER_MS);
    // An upload that goes on for longer is cut: it resumes under its key.
    deadline.addEventListener('abort', () => app.server.closeAllConnections(), { once: true });
    return app.close();
  });
  await app.listen({ host: config.host, port: config.port });
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : config.port;
}
