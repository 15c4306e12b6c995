import type { Metrics } from '@pinegate/runtime';
import type { TradingView } from '@pinegate/tradingview';

/** `pinegate_upstream_pool`: connections to TradingView and what is on them, in this process. */
export function createPoolGauge(metrics: Metrics, upstream: Pick<TradingView, 'pool'>): void {
  metrics.gauge({
    name: 'pinegate_upstream_pool',
    help: 'Connections open (connected) and idle (free), requests queued and running.',
    labels: ['state'],
    collect(gauge) {
      const { connected, free, queued, running } = upstream.pool();
      for (const [state, count] of Object.entries({ connected, free, queued, running })) gauge.set({ state }, count);
    },
  });
}
