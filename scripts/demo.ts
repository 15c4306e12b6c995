// Against servers that run elsewhere: sets up the demo accounts, drains examples/roster.csv, and ends. For containers.
import { join } from 'node:path';
import { ConfigError, parseEnv } from '@pinegate/runtime';
import { z } from 'zod';
import { buildApi } from './start/call-api.ts';
import { makeDemoCookies } from './start/demo-secrets.ts';
import { drainRoster } from './start/drain-roster.ts';
import { activateAccounts, configureAccounts, configureSandbox, restoreSandbox } from './start/prepare-demo.ts';
import { StartProblem } from './start/start-problem.ts';
import { tellRejections } from './start/tell.ts';

const SCHEMA = z.object({
  API_URL: z.url({ protocol: /^https?$/ }),
  SANDBOX_URL: z.url({ protocol: /^https?$/ }),
  PINEGATE_ADMIN_KEY: z.string(),
});

const say = (line: string) => void process.stdout.write(`${line}\n`);

try {
  process.exitCode = (await run()) === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof StartProblem || error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

/** @returns how many operations are still pending. */
async function run(): Promise<number> {
  const env = parseEnv(SCHEMA, process.env, { secrets: ['PINEGATE_ADMIN_KEY'] });
  const api = buildApi({ api: env.API_URL, sandbox: env.SANDBOX_URL }, env.PINEGATE_ADMIN_KEY);
  const cookies = makeDemoCookies();
  await configureSandbox(api, cookies);
  await configureAccounts(api);
  await restoreSandbox(api);
  await activateAccounts(api, cookies);
  const { accepted, pending } = await drainRoster(api, join(import.meta.dirname, '../examples/roster.csv'), say);
  await tellRejections(api, accepted, say);
  return pending;
}
