import { expect, it } from 'vitest';
import { createMetrics } from '../src/index.ts';

it('writes counters, gauges and histograms with the app, beside the defaults of Node', async () => {
  const metrics = createMetrics('worker');
  const settled = metrics.counter({ name: 'pinegate_settled_total', help: 'h', labels: ['outcome'] });
  settled.inc({ outcome: 'granted' });
  settled.inc({ outcome: 'granted' }, 2);
  metrics.histogram({ name: 'pinegate_call_seconds', help: 'h', buckets: [1] }).observe({}, 0.5);
  metrics.counter({ name: 'pinegate_plain_total', help: 'h' }).inc();
  const text = await metrics.text();
  expect(text).toContain('pinegate_settled_total{outcome="granted",app="worker"} 3');
  expect(text).toContain('pinegate_call_seconds_bucket{le="1",app="worker"} 1');
  expect(text).toContain('pinegate_plain_total{app="worker"} 1');
  expect(text).toContain('nodejs_eventloop_lag_seconds');
  expect(metrics.contentType).toContain('text/plain');
});

it('asks for a gauge only when it is read, and forgets what is gone', async () => {
  const metrics = createMetrics('worker');
  let accounts = ['a', 'b'];
  metrics.gauge({
    name: 'pinegate_pending',
    help: 'h',
    labels: ['account'],
    collect(gauge) {
      gauge.reset();
      for (const account of accounts) gauge.set({ account }, 1);
    },
  });
  expect(await metrics.text()).toContain('pinegate_pending{account="b",app="worker"} 1');
  accounts = ['a'];
  expect(await metrics.text()).not.toContain('account="b"');
});

it('keeps two apps of one process apart', async () => {
  const one = createMetrics('one');
  const two = createMetrics('two');
  one.counter({ name: 'pinegate_x_total', help: 'h' }).inc();
  two.counter({ name: 'pinegate_x_total', help: 'h' }).inc({}, 5);
  expect(await one.text()).toContain('pinegate_x_total{app="one"} 1');
});
