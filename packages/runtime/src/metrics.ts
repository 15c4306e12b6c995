import {
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type MetricObject,
  Registry,
} from 'prom-client';
import { parentChannel } from './processes/parent.ts';

type Described<L extends string> = {
  /** As `pinegate_settled_total`, base units in the name. */
  name: string;
  help: string;
  labels?: readonly L[];
};

export type Labels<L extends string> = Partial<Record<L, string | number>>;
export type CounterMetric<L extends string> = { inc(labels?: Labels<L>, by?: number): void };
export type GaugeMetric<L extends string> = { set(labels: Labels<L>, value: number): void; reset(): void };
export type HistogramMetric<L extends string> = { observe(labels: Labels<L>, value: number): void };

export type Metrics = {
  counter<L extends string = never>(metric: Described<L>): CounterMetric<L>;
  /** `collect` runs before every reading, to set values that are looked up only then. */
  gauge<L extends string = never>(
    metric: Described<L> & { collect?: (gauge: GaugeMetric<L>) => Promise<void> | void },
  ): GaugeMetric<L>;
  histogram<L extends string = never>(metric: Described<L> & { buckets?: readonly number[] }): HistogramMetric<L>;
  /** The Prometheus text exposition of everything; of a process that is supervised, of all its siblings together. */
  text(): Promise<string>;
  readonly contentType: string;
};

const GATHER_MS = 5_000;
/** Steps in which the lag of the event loop is measured, ms: at prom-client's 10 the timer alone cost an idle process 1 % of a core. */
const LAG_STEP_MS = 100;

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** One exposition of what several processes measured: counters and histograms are summed, gauges as each of them states. */
export function aggregateMetrics(metrics: readonly MetricObject[][]): Promise<string> {
  return AggregatorRegistry.aggregate([...metrics]).metrics();
}

/** Metrics of one process in a registry of its own, with Node's default metrics; every line carries the label `app`. */
export function createMetrics(app: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ app });
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_STEP_MS });
  const parent = parentChannel();
  parent?.answer('metrics', () => registry.getMetricsAsJSON());
  const described = <L extends string>({ name, help, labels }: Described<L>) => ({
    name,
    help,
    labelNames: [...(labels ?? [])],
    registers: [registry],
  });

  return {
    counter(metric) {
      const counter = new Counter(described(metric));
      return { inc: (labels = {}, by = 1) => counter.inc(labels, by) };
    },
    gauge(metric) {
      const { collect } = metric;
      const inner = new Gauge({
        ...described(metric),
        ...(collect === undefined ? {} : { collect: () => collect(outer) }),
      });
      const outer = {
        set: (labels: object, value: number) => inner.set(labels, value),
        reset: () => inner.reset(),
      };
      return outer;
    },
    histogram(metric) {
      const { buckets } = metric;
      const histogram = new Histogram({
        ...described(metric),
        ...(buckets === undefined ? {} : { buckets: [...buckets] }),
      });
      return { observe: (labels, value) => histogram.observe(labels, value) };
    },
    text: async () => (parent ? String(await parent.ask('metrics of all', GATHER_MS)) : registry.metrics()),
    contentType: registry.contentType,
  };
}
