import type { Action, Outcome } from '@pinegate/access';
import { type CounterMetric, createHttpMetrics, type Metrics, type ObservedRequest } from '@pinegate/runtime';

/** What the api counts. */
export interface ApiMetrics {
  requested(request: ObservedRequest): void;
  /** Operations that ended without a worker: replaced or already so when accepted, cancelled. */
  ended(ended: readonly { readonly action: Action; readonly outcome: Outcome; readonly count?: number }[]): void;
  readonly rows: CounterMetric<'verdict'>;
  readonly missedRings: CounterMetric<never>;
  readonly idempotentRequests: CounterMetric<'verdict'>;
  readonly cache: CounterMetric<'result'>;
}

/** Registers the api's metrics. */
export function buildApiMetrics(metrics: Metrics): ApiMetrics {
  const operations = metrics.counter({
    name: 'pinegate_operations_total',
    help: 'Operations that ended, by outcome.',
    labels: ['action', 'outcome'],
  });
  const supersessions = metrics.counter({
    name: 'pinegate_supersessions_total',
    help: 'Operations that ended because a later one replaced them.',
  });
  return {
    requested: createHttpMetrics(metrics),
    ended(ended) {
      for (const { action, outcome, count = 1 } of ended) {
        operations.inc({ action, outcome }, count);
        if (outcome === 'superseded') supersessions.inc({}, count);
      }
    },
    rows: metrics.counter({
      name: 'pinegate_rows_total',
      help: 'Operations received, alone or in batches, by what was decided',
      labels: ['verdict'],
    }),
    idempotentRequests: metrics.counter({
      name: 'pinegate_idempotent_requests_total',
      help: 'Requests under an Idempotency-Key: fresh; resume, one whose first try died; stored, answered again; busy; differs',
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
