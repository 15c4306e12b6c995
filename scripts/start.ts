// The whole of Pinegate on one machine, against the sandbox: npm start [-- --once]
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createLifecycle, createLogger, startRedisServer } from '@pinegate/runtime';
import { buildApi } from './start/call-api.ts';
import { refuseTakenPorts } from './start/check-ports.ts';
import { createChildren } from './start/create-children.ts';
import { readDemoSecrets } from './start/demo-secrets.ts';
import { drainRoster } from './start/drain-roster.ts';
import { planProcesses } from './start/plan-processes.ts';
import { parsePorts } from './start/ports.ts';
import { activateAccounts, configureAccounts, configureSandbox, restoreSandbox } from './start/prepare-demo.ts';
import { StartProblem } from './start/start-problem.ts';
import { tellRejections, tellWhereToLook } from './start/tell.ts';

const DRAIN_MS = 30_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const say = (line: string) => void process.stdout.write(`${line}\n`);
// Each process logs to a file of its own; here only what closing could not do.
const log = createLogger({ app: 'start', level: 'warn' });
const lifecycle = createLifecycle(log);
lifecycle.installSignals({ drainMs: DRAIN_MS });

let code = 1;
try {
  code = await run();
} catch (error) {
  if (!lifecycle.closing.aborted) process.stderr.write(`${describe(error)}\n`);
}
await lifecycle.close();
process.exit(code);

/** @returns the exit code; while the demo stays up, only once a process of it has ended. */
async function run(): Promise<number> {
  const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
  const ports = parsePorts(process.env);
  await refuseTakenPorts(ports);
  lifecycle.closing.addEventListener('abort', () => say('Stopping.'));
  const data = join(root, '.data');
  const secrets = await readDemoSecrets(join(data, 'secrets.json'));
  const redisUrl = process.env.REDIS_URL || (await openRedisServer(join(data, 'redis')));

  const plan = planProcesses({ root, data, ports, secrets, redisUrl, env: process.env });
  const children = createChildren(join(data, 'logs'), lifecycle, say);
  const urls = { api: `http://127.0.0.1:${ports.api}`, sandbox: `http://127.0.0.1:${ports.sandbox}` };
  const api = buildApi(urls, secrets.adminKey);

  const drained = (async () => {
    await children.start(plan.sandbox);
    await configureSandbox(api, secrets.cookies);
    await children.start(plan.api);
    await configureAccounts(api);
    await restoreSandbox(api);
    await Promise.all(plan.workers.map(children.start));
    await children.start(plan.dashboard);
    await activateAccounts(api, secrets.cookies);
    return drainRoster(api, join(root, 'examples/roster.csv'), say);
  })();
  const { pending, accepted } = await Promise.race([drained, children.failed]);
  await tellRejections(api, accepted, say);
  if (values.once) return pending === 0 ? 0 : 1;
  tellWhereToLook(ports, secrets.adminKey, accepted.id, say);
  return await children.failed;
}

async function openRedisServer(dir: string): Promise<string> {
  const server = await startRedisServer({ dir, appendOnly: true });
  lifecycle.onClose('redis-server', () => server.stop());
  say(`redis       ${server.url}, its data in ${dir}`);
  return server.url;
}

function describe(error: unknown): string {
  if (error instanceof StartProblem) return error.message;
  const isPlain = error instanceof Error && ['RedisServerError', 'ConfigError'].includes(error.name);
  return isPlain ? error.message : String(error instanceof Error ? (error.stack ?? error) : error);
}
