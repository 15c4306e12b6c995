import { type Attributes, context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { SpanExporter } from '@opentelemetry/sdk-trace-node';

export type TracingOptions = {
  /** Which app it is: spans say `pinegate-<app>`. */
  readonly app: string;
  /** Base address of an OTLP collector over HTTP; `/v1/traces` is added. */
  readonly endpoint: string;
  /** In place of one that sends to `endpoint`: for tests. */
  readonly exporter?: SpanExporter;
};

/** The span of a request that is being answered. */
export type ServerSpan = {
  end(route: string, statusCode: number): void;
};

const NAME = 'pinegate';
let on = false;

/** Whether this process traces. */
export function isTracing(): boolean {
  return on;
}

/**
 * Begins to trace this process; call it before anything is opened. What is not traced loads none of it.
 * @returns what sends the last spans and ends it.
 */
export async function startTracing({ app, endpoint, exporter }: TracingOptions): Promise<() => Promise<void>> {
  const [{ resourceFromAttributes }, { BatchSpanProcessor, NodeTracerProvider }, { OTLPTraceExporter }] =
    await Promise.all([
      import('@opentelemetry/resources'),
      import('@opentelemetry/sdk-trace-node'),
      import('@opentelemetry/exporter-trace-otlp-http'),
    ]);
  const sink = exporter ?? new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': `${NAME}-${app}` }),
    spanProcessors: [new BatchSpanProcessor(sink)],
  });
  provider.register();
  on = true;
  return async () => {
    on = false;
    await provider.shutdown();
  };
}

/** Runs `work` inside the span of a request; a caller's `traceparent` is its parent. Without tracing it only runs it. */
export function traceRequest(
  method: string,
  headers: Readonly<Record<string, unknown>>,
  work: () => void,
): ServerSpan | null {
  if (!on) {
    work();
    return null;
  }
  const parent = propagation.extract(context.active(), headers);
  const attributes = { 'http.request.method': method };
  const span = trace.getTracer(NAME).startSpan(method, { kind: SpanKind.SERVER, attributes }, parent);
  context.with(trace.setSpan(parent, span), work);
  return {
    end(route, statusCode) {
      span.updateName(`${method} ${route}`);
      span.setAttributes({ 'http.route': route, 'http.response.status_code': statusCode });
      if (statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

/** Records a call to another server that has just ended, under the span it was made in. No address and no header is kept. */
export function recordCall(name: string, attributes: Attributes, ms: number, failed: boolean): void {
  if (!on) return;
  const endTime = Date.now();
  const span = trace.getTracer(NAME).startSpan(name, { kind: SpanKind.CLIENT, attributes, startTime: endTime - ms });
  if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(endTime);
}

/** Adds to the span that runs, if any. */
export function annotateSpan(attributes: Attributes): void {
  if (on) trace.getActiveSpan()?.setAttributes(attributes);
}

/** Ids of the span that runs, for log lines; nothing without tracing. */
export function traceIds(): { readonly traceId?: string; readonly spanId?: string } {
  const span = on ? trace.getActiveSpan()?.spanContext() : undefined;
  return span === undefined ? {} : { traceId: span.traceId, spanId: span.spanId };
}
