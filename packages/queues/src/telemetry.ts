import { isTracing } from '@pinegate/runtime';
import type { Telemetry } from 'bullmq';
import { BullMQOtel } from 'bullmq-otel';

/**
 * With tracing on, a bell carries in its options the trace of the request that rang it, and its work goes on in that trace. It says who
 * rang, not what is worked on: the chunk is the one whose turn it is, and the span of the job names it.
 */
export function telemetry(): { readonly telemetry?: Telemetry } {
  return isTracing() ? { telemetry: withoutResults(new BullMQOtel({ tracerName: 'pinegate' })) } : {};
}

/** A job's result has the first usernames of its chunk, for who is logged in to the dashboard: they have no place in a trace. */
function withoutResults(telemetry: BullMQOtel): BullMQOtel {
  const { tracer } = telemetry;
  const startSpan = tracer.startSpan.bind(tracer);
  tracer.startSpan = (name, options, context) => {
    const span = startSpan(name, options, context);
    const addEvent = span.addEvent.bind(span);
    span.addEvent = (event, attributes = {}) => {
      const { 'bullmq.job.result': _result, ...rest } = attributes;
      addEvent(event, rest);
    };
    return span;
  };
  return telemetry;
}
