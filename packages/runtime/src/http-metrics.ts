import type { Metrics } from './metrics.ts';

/** One answered request. `route` is the pattern that matched, never the address itself. */
export type ObservedRequest = {
  readonly method: string;
  readonly route: string;
  readonly statusCode: number;
  readonly seconds: number;
};

const BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];

/** Registers `http_requests_total` and `http_request_duration_seconds`, and returns what counts a request in both. */
export function createHttpMetrics(metrics: Metrics): (request: ObservedRequest) => void {
  const labels = ['method', 'route', 'status_code'] as const;
  const requests = metrics.counter({ name: 'http_requests_total', help: 'Requests answered.', labels });
  const durations = metrics.histogram({
    name: 'http_request_duration_seconds',
    help: 'From the head of a request to the end of its answer.',
    labels,
    buckets: BUCKETS,
  });
  return ({ method, route, statusCode, seconds }) => {
    const observed = { method, route, status_code: statusCode };
    requests.inc(observed);
    durations.observe(observed, seconds);
  };
}
