import { createServer } from 'node:http';
import { waitFor } from '@pinegate/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../stack/start-stack.ts';

const SCRIPT = `PUB;${'f3'.repeat(16)}`;
const TRACE = '0af7651916cd43dd8448eb211c80319c';

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
  readonly service: string;
}

const spans: Span[] = [];
const bodies: string[] = [];
/** A collector: takes OTLP over HTTP as JSON. */
const collector = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    bodies.push(body);
    for (const { resource, scopeSpans } of JSON.parse(body).resourceSpans) {
      const named = resource.attributes.find(({ key }: { key: string }) => key === 'service.name');
      for (const scope of scopeSpans) {
        spans.push(...scope.spans.map((span: Span) => ({ ...span, service: named.value.stringValue })));
      }
    }
    response.setHeader('content-type', 'application/json').end('{}');
  });
});

// Processes that start on a busy machine.
const START_MS = 180_000;

let stack: Stack;

beforeAll(async () => {
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const address = collector.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_BSP_SCHEDULE_DELAY: '100',
    LOG_LEVEL: 'debug',
  };
  stack = await startStack({ workers: 1, env, accounts: [{ id: 'traced', scripts: [SCRIPT] }] });
}, START_MS);
afterAll(async () => {
  await stack?.stop();
  await new Promise((resolve) => collector.close(resolve));
});

const byName = (name: string | RegExp) =>
  spans.filter(
    (span) => span.traceId === TRACE && (typeof name === 'string' ? span.name === name : name.test(span.name)),
  );

/** Up from a span, as far as its parents have come: each process sends its spans when they end, in its own time. */
function chainFrom(span: Span | undefined): Span[] {
  const chain: Span[] = [];
  for (let at = span; at !== undefined; at = spans.find(({ spanId }) => spanId === at?.parentSpanId)) chain.push(at);
  return chain;
}

test('one trace leads from the request over the queue and the worker to the call upstream', async () => {
  const path = `/v1/scripts/${encodeURIComponent(SCRIPT)}/access/traced_user`;
  const headers = { traceparent: `00-${TRACE}-b7ad6b7169203331-01`, prefer: 'wait=10' };
  const { body } = await stack.call('PUT', path, { body: { expiresAt: null }, headers });
  const chain = () => chainFrom(byName('tradingview add')[0]);
  await waitFor(() => chain().at(-1)?.name.startsWith('PUT '), { what: 'the spans from the call up to the request' });

  const [request] = byName(/^PUT /);
  const [call] = byName('tradingview add');
  expect(request).toMatchObject({ service: 'pinegate-api', parentSpanId: 'b7ad6b7169203331' });
  expect(call?.service).toBe('pinegate-worker');
  // Up from the call: the job, whose parent is the bell that was rung in the request.
  expect(chain()[0]).toBe(call);
  expect(chain().at(-1)).toBe(request);
  expect(chain().length).toBeGreaterThanOrEqual(3);

  // The log lines of each process carry the trace, and the numbers that lead from one to the next.
  const line = (lines: readonly string[], msg: string) =>
    lines.map((text) => JSON.parse(text)).find((entry) => entry.msg === msg && entry.traceId === TRACE);
  const worker = stack.workers[0]?.lines ?? [];
  // Lines come through a pipe, spans over HTTP: neither waits for the other.
  await waitFor(() => line(stack.api.lines, 'request') && line(worker, 'job') && line(worker, 'upstream call'), {
    what: 'the log lines of the request, the job and the call',
  });
  const accepted = line(stack.api.lines, 'request');
  const job = line(worker, 'job');
  expect(accepted).toMatchObject({ operation: body.operation, account: 'traced', part: job.part });
  expect(job).toMatchObject({ account: 'traced', lane: 'grant', keys: 1, outcome: ['granted 1'] });
  expect(line(worker, 'upstream call')).toMatchObject({ job: job.job, lane: 'grant', endpoint: 'add', result: 'ok' });
});

test('no span carries a username, a cookie or a key', () => {
  expect(bodies.length).toBeGreaterThan(0);
  const sent = bodies.join('\n');
  for (const secret of ['traced_user', 'session-traced', 'sign-traced', stack.adminKey])
    expect(sent).not.toContain(secret);
});
