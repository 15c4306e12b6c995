// The dashboard's overview, live in a terminal: npm run monitor [-- --once]
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildDashboard } from './monitor/call-dashboard.ts';
import { readDemoSecrets } from './start/demo-secrets.ts';
import { parsePorts } from './start/ports.ts';
import { StartProblem } from './start/start-problem.ts';

const EVERY_MS = 1_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });

try {
  const url = process.env.DASHBOARD_URL || `http://127.0.0.1:${parsePorts(process.env).dashboard}`;
  const key = process.env.PINEGATE_ADMIN_KEY || (await readDemoSecrets(join(root, '.data/secrets.json'))).adminKey;
  const dashboard = buildDashboard(url, key);
  const isLive = process.stdout.isTTY && !values.once;
  for (;;) {
    const text = await dashboard.overview();
    // Over what is there, then to the end of the screen: nothing flickers.
    process.stdout.write(isLive ? `\x1b[H${text.replaceAll('\n', '\x1b[K\n')}\x1b[J` : text);
    if (values.once) break;
    await delay(EVERY_MS);
  }
} catch (error) {
  process.stderr.write(`${error instanceof StartProblem ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
