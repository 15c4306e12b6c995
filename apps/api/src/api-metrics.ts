import type { CounterMetric, HistogramMetric, Metrics } from '@pinegate/runtime';

type RequestLabel = 'method' | 'route' | 'status_code';

/** What the api counts. */
export interface ApiMetrics {
  readonly requests: CounterMetric<RequestLabel>;
  readonly seconds: HistogramMetric<RequestLabel>;
  readonly rows: CounterMetric<'verdict'>;
  readonly missedRings: CounterMetric<never>;
  readonly cache: CounterMetric<'result'>;
}

/** Registers the api's metrics. */
export function buildApiMetrics(metrics: Metrics): ApiMetrics {
  const labels = ['method', 'route', 'status_code'] as const;
  return {
    requests: metrics.counter({ name: 'http_requests_total', help: 'Requests answered', labels }),
    seconds: metrics.histogram({
      name: 'http_request_duration_seconds',
      help: 'From the head of a request to the end of its answer',
      labels,
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    }),
    rows: metrics.counter({
      name: 'pinegate_rows_total',
      help: 'Operations received, alone or in batches, by what was decided',
      labels: ['verdict'],
    }),
    cache: metrics.counter({
      name: 'pinegate_cache_requests_total',
      help: 'Usernames asked for, by where the cache found them: hit_memory, hit_redis, miss, unavailable',
      labels: ['result'],
    }),
    missedRings: metrics.counter({
      name: 'pinegate_missed_rings_total',
      help: 'Bells that could not be rung after a submit; the sweeper rings them',
    }),
  };
}
