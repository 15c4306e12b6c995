import { buildAccessCalls } from './access-calls.ts';
import { buildCall } from './build-call.ts';
import { buildRequests } from './build-requests.ts';
import { buildMemberCalls } from './member-calls.ts';
import { openPool } from './open-pool.ts';
import { buildSessionCalls } from './session-calls.ts';
import type { TradingView, TradingViewOptions } from './tradingview.ts';

/**
 * Opens the client of the upstream: one pool of connections, HTTP/2 where it can. Nothing is connected before the
 * first call.
 * @throws TypeError when `baseUrl` is not an http(s) origin
 */
export function createTradingView(options: TradingViewOptions): TradingView {
  const { deadlineMs = 6000, clock = Date.now, onRequest, userAgent } = options;
  const pool = openPool({ ...options, deadlineMs });
  const requests = buildRequests(userAgent);
  const perform = buildCall(pool, deadlineMs, clock, onRequest);
  let closing: Promise<void> | undefined;
  let destroying: Promise<void> | undefined;
  return {
    ...buildSessionCalls(requests, perform),
    ...buildAccessCalls(requests, perform),
    ...buildMemberCalls(requests, perform),
    pool() {
      const { connected, free, queued, running } = pool.stats;
      return { connected, free, queued, running };
    },
    close() {
      closing ??= destroying ?? pool.close();
      return closing;
    },
    destroy() {
      destroying ??= pool.destroy();
      return destroying;
    },
  };
}
