import { type ChildProcess, spawn } from 'node:child_process';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/**
 * How many adds a second the sandbox answers, over HTTP/1.1 (64 raw sockets, so that the client costs little) and
 * over HTTP/2 with TLS (Node's client). Prints what was reached, and what one core would reach by the CPU time spent.
 * Run: node bench/sandbox-ceiling.ts [seconds per protocol, default 2, at most 2.5]
 */
const SECONDS = Math.min(Number(process.argv[2] ?? 2), 2.5);
const SCRIPT = `PUB;${'a'.repeat(32)}`;
const HEADERS = {
  origin: 'https://www.tradingview.com',
  referer: 'https://www.tradingview.com/',
  'x-requested-with': 'XMLHttpRequest',
  cookie: 'sessionid=bench',
  'content-type': 'application/x-www-form-urlencoded',
};

let users = 0;
const nextBody = () => `pine_id=${encodeURIComponent(SCRIPT)}&username_recip=user${users++}`;

async function startSandbox(): Promise<{ child: ChildProcess; url: URL; tlsUrl: string; certificate: string }> {
  const main = fileURLToPath(new URL('../apps/sandbox/src/main.ts', import.meta.url));
  const env = { ...process.env, SANDBOX_PORT: '0', SANDBOX_TLS_PORT: '0' };
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise<string>((resolve) => child.stdout.once('data', (data) => resolve(String(data))));
  const [url = '', tlsUrl = ''] = line.match(/https?:\/\/[^\s,]+/g) ?? [];
  const account = JSON.stringify({ sessionid: 'bench', scripts: [SCRIPT] });
  await fetch(`${url}/__sandbox/accounts/bench`, { method: 'PUT', body: account });
  const certificate = await (await fetch(`${url}/__sandbox/certificate`)).text();
  return { child, url: new URL(url), tlsUrl, certificate };
}

/** Keeps one request in flight on each of 64 connections until the returned function is called. */
function loadHttp1(url: URL): () => void {
  const head = [
    `POST /pine_perm/add/ HTTP/1.1`,
    `host: ${url.host}`,
    ...Object.entries(HEADERS).map((h) => h.join(': ')),
  ];
  const request = () => {
    const body = nextBody();
    return `${head.join('\r\n')}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  };
  const sockets = Array.from({ length: 64 }, () => {
    const socket = connect(Number(url.port), url.hostname);
    socket.write(request());
    // Answers are short: one chunk is one answer.
    socket.on('data', () => socket.write(request()));
    socket.on('error', () => {});
    return socket;
  });
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}

/** Keeps 100 streams in flight on one connection, likewise. */
function loadHttp2(tlsUrl: string, certificate: string): () => void {
  const session = connectHttp2(tlsUrl, { ca: certificate });
  let stopped = false;
  function ask(): void {
    if (stopped) return;
    const stream = session.request({ ':method': 'POST', ':path': '/pine_perm/add/', ...HEADERS });
    stream.on('error', () => {});
    stream.on('close', ask);
    stream.resume();
    stream.end(nextBody());
  }
  for (let i = 0; i < 100; i++) ask();
  return () => {
    stopped = true;
    session.destroy();
  };
}

type Snapshot = { requests: number; process: { cpuMs: number } };

async function measure(name: string, url: URL, load: () => () => void): Promise<void> {
  const read = async () => (await (await fetch(`${url.origin}/__sandbox/counters`)).json()) as Snapshot;
  const stop = load();
  const before = await read();
  const startedAt = performance.now();
  await pause(SECONDS * 1000);
  const after = await read();
  const seconds = (performance.now() - startedAt) / 1000;
  stop();
  const requests = after.requests - before.requests;
  const cpuMs = after.process.cpuMs - before.process.cpuMs;
  const each = ((cpuMs * 1000) / requests).toFixed(0);
  const byCpu = Math.round((requests / cpuMs) * 1000);
  const reached = Math.round(requests / seconds);
  process.stdout.write(`${name}: ${reached}/s reached; ${each} us of CPU each, so ${byCpu}/s and core\n`);
}

const { child, url, tlsUrl, certificate } = await startSandbox();
try {
  // Without this, most of what is measured is the compiler: the rate triples in the first seconds.
  const stops = [loadHttp1(url), loadHttp2(tlsUrl, certificate)];
  await pause(3000);
  for (const stop of stops) stop();
  await measure('HTTP/1.1', url, () => loadHttp1(url));
  await measure('HTTP/2 over TLS', url, () => loadHttp2(tlsUrl, certificate));
} finally {
  child.kill('SIGTERM');
}
