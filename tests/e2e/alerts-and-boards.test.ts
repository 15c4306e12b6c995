import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { reservePort, startProcess, waitFor } from '@pinegate/testing';
import { parser } from '@prometheus-io/lezer-promql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../stack/start-stack.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const RULES = join(ROOT, 'ops/prometheus');
const SCRIPT = `PUB;${'b7'.repeat(16)}`;
const PROMTOOL = ['/usr/bin/promtool', '/usr/local/bin/promtool'].find(existsSync) ?? null;
if (PROMTOOL === null)
  process.stdout.write('alerts and boards: promtool is not on this machine, so it does not check\n');

/** What others may build alerts and boards of their own on. */
const PROMISED = [
  'http_requests_total',
  'http_request_duration_seconds',
  'pinegate_operations_total',
  'pinegate_upstream_requests_total',
  'pinegate_upstream_request_seconds',
  'pinegate_settle_seconds',
  'pinegate_pending',
  'pinegate_oldest_wait_seconds',
  'pinegate_budget_rate',
  'pinegate_permits_total',
  'pinegate_rate_limited_total',
  'pinegate_breaker_open',
  'pinegate_account_state',
  'pinegate_session_age_seconds',
  'pinegate_cache_requests_total',
  'pinegate_verifications_total',
  'pinegate_corrections_total',
  'pinegate_takeovers_total',
  'pinegate_supersessions_total',
  'pinegate_upstream_pool',
  'nodejs_eventloop_lag_p99_seconds',
];

// Processes that start on a busy machine.
const START_MS = 180_000;

let stack: Stack;
let families: Map<string, Set<string>>;
let scraped: readonly string[];

beforeAll(async () => {
  const workerPort = await reservePort();
  stack = await startStack({ workers: 0, accounts: [] });
  await stack.startWorker({ env: { WORKER_PORT: String(workerPort) } });
  await addAccount();
  const dashboard = await startDashboard();
  const path = `/v1/scripts/${encodeURIComponent(SCRIPT)}/access`;
  await stack.call('PUT', `${path}/anna`, { body: { expiresAt: null }, headers: { prefer: 'wait=10' } });
  scraped = [`http://127.0.0.1:${workerPort}/metrics`, `${stack.apiUrl}/metrics`, `${dashboard}/metrics`];
  families = await waitFor(
    async () => {
      const texts = await Promise.all(scraped.map(async (url) => (await fetch(url)).text()));
      const found = readFamilies(texts.join('\n'));
      return found.has('pinegate_pending') ? found : undefined;
    },
    { what: 'the worker to lead' },
  );
}, START_MS);
afterAll(() => stack?.stop());

async function addAccount(): Promise<void> {
  const cookies = { sessionid: 'session-one', sessionidSign: 'sign-one' };
  await stack.sandbox('PUT', '/__sandbox/accounts/one', { ...cookies, scripts: [SCRIPT] });
  await stack.call('PUT', '/v1/accounts/one', { body: { scripts: [SCRIPT] } });
  await stack.call('PUT', '/v1/accounts/one/session', { body: cookies });
}

async function startDashboard(): Promise<string> {
  const port = await reservePort();
  const env = {
    REDIS_URL: stack.redis.url,
    PINEGATE_SECRET_KEY: Buffer.from(Array.from({ length: 32 }, (_, i) => (i * 37 + 11) % 256)).toString('base64'),
    DASHBOARD_PORT: String(port),
  };
  const child = await startProcess({
    args: ['apps/dashboard/src/main.ts'],
    cwd: ROOT,
    env,
    readyLine: /"msg":"ready"/,
  });
  const stop = stack.stop.bind(stack);
  stack = { ...stack, stop: () => child.stop().then(stop) };
  return `http://127.0.0.1:${port}`;
}

/** Names of the metrics that exist, with the labels they have. */
function readFamilies(exposition: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const line of exposition.split('\n')) {
    const declared = /^# TYPE (\S+) (\S+)/.exec(line);
    const name = declared?.[1];
    if (name === undefined) {
      const [, series = '', labels = ''] = /^([a-z_]+)\{(.*)\} /.exec(line) ?? [];
      for (const label of labels.matchAll(/(\w+)="/g)) found.get(series)?.add(label[1] ?? '');
      continue;
    }
    const names = declared?.[2] === 'histogram' ? ['', '_bucket', '_sum', '_count'].map((end) => name + end) : [name];
    for (const one of names) found.set(one, found.get(one) ?? new Set());
  }
  return found;
}

/** Names of the metrics in a PromQL expression. Errors: one that cannot be parsed. */
function metricsIn(expression: string): string[] {
  const text = expression.replaceAll(/\$__rate_interval/g, '5m').replaceAll('$account', 'one');
  const names: string[] = [];
  parser.parse(text).iterate({
    enter(node) {
      if (node.type.isError) throw new Error(`no PromQL at ${node.from}: ${text}`);
      if (node.name === 'VectorSelector')
        names.push(/^[a-zA-Z_:]+[a-zA-Z0-9_:]*/.exec(text.slice(node.from))?.[0] ?? '');
    },
  });
  return names;
}

interface Alert {
  readonly name: string;
  readonly expression: string;
  readonly runbook: string;
}

/** The alerts of the rules file, read as the text that it is. */
async function readAlerts(): Promise<Alert[]> {
  const text = await readFile(join(RULES, 'pinegate.rules.yml'), 'utf8');
  return text
    .split('- alert: ')
    .slice(1)
    .map((block) => {
      const [, expression = ''] = /expr: \|?([\s\S]*?)\n {8}(?:for|labels):/.exec(block) ?? [];
      const [, runbook = ''] = /runbook_url: (\S+)/.exec(block) ?? [];
      return { name: block.split('\n', 1)[0] ?? '', expression: expression.trim(), runbook };
    });
}

test('every promised metric is on a real /metrics, and no label carries a name, script or key', () => {
  expect(PROMISED.filter((name) => !families.has(name))).toEqual([]);
  const labels = new Set([...families.values()].flatMap((own) => [...own]));
  expect([...labels].filter((label) => /user|script|key|cookie|url|path/.test(label))).toEqual([]);
});

test('every process counts its own requests, by route and not by address', async () => {
  for (const url of scraped) {
    await fetch(`${new URL('/nothing/secret-name', url)}`, { redirect: 'manual' });
    const text = await (await fetch(url)).text();
    expect(text, url).toMatch(/http_requests_total\{method="GET",route="\/metrics",status_code="200",app="\w+"\} \d+/);
    expect(text, url).toContain('http_request_duration_seconds_bucket');
    expect(text, url).not.toContain('secret-name');
  }
});

test('every metric that an alert asks for exists', async () => {
  const alerts = await readAlerts();
  expect(alerts.length).toBeGreaterThan(10);
  for (const { name, expression } of alerts) {
    const used = metricsIn(expression);
    expect(used.length, name).toBeGreaterThan(0);
    expect(
      used.filter((metric) => !families.has(metric)),
      name,
    ).toEqual([]);
  }
});

test('every alert has its paragraph in the runbook, and every paragraph its alert', async () => {
  const alerts = await readAlerts();
  const runbook = await readFile(join(ROOT, 'docs/runbook.md'), 'utf8');
  const anchors = [...runbook.matchAll(/^## (Pinegate\w+)$/gm)].map(([, heading]) => heading ?? '');
  expect(alerts.map(({ runbook: url }) => url)).toEqual(
    alerts.map(({ name }) => `docs/runbook.md#${name.toLowerCase()}`),
  );
  expect(anchors.toSorted()).toEqual(alerts.map(({ name }) => name).toSorted());
});

test('every metric that a board shows exists', async () => {
  const board = JSON.parse(await readFile(join(ROOT, 'ops/grafana/pinegate.json'), 'utf8'));
  const targets = board.panels.flatMap((panel: { targets?: { expr: string }[] }) => panel.targets ?? []);
  expect(targets.length).toBeGreaterThan(20);
  for (const { expr } of targets) {
    expect(
      metricsIn(expr).filter((metric) => !families.has(metric)),
      expr,
    ).toEqual([]);
  }
});

test.skipIf(PROMTOOL === null)(
  'promtool accepts rules and metrics, and each alert fires on what it is for',
  async () => {
    const run = promisify(execFile);
    const options = { cwd: RULES };
    await run(PROMTOOL ?? '', ['check', 'rules', 'pinegate.rules.yml'], options);
    await run(PROMTOOL ?? '', ['check', 'config', 'prometheus.yml'], options);
    await run(PROMTOOL ?? '', ['test', 'rules', 'pinegate.rules.test.yml'], options);
  },
);
