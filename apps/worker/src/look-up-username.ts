import type { Budget } from '@pinegate/budget';
import type { UsernameCache } from '@pinegate/ledger';
import type { TradingView } from '@pinegate/tradingview';
import { decide } from './decide.ts';

/** No permit came in time: says nothing about the user. */
class NoPermitError extends Error {
  override readonly name = 'NoPermitError';
  readonly code = 'NO_PERMIT';
}

/** The canonical spelling of a user, or null when there is none: from the cache, else from upstream for one permit of `lookup`. */
export async function lookUpUsername(
  parts: {
    readonly cache: UsernameCache;
    readonly upstream: TradingView;
    readonly budget: Budget;
    readonly account: string;
  },
  username: string,
  options: { readonly bulk: boolean; readonly maxWaitMs: number },
): Promise<string | null> {
  const { cache, upstream, budget, account } = parts;
  const known = await cache.lookUp(username, async () => {
    const permits = await budget.acquire('lookup', 1, options);
    if (!permits) throw new NoPermitError('no permit for a look-up came in time');
    const request = permits.start();
    try {
      const canonical = await upstream.hint(username, { account });
      request.finish('ok');
      return canonical;
    } catch (error) {
      const { result, retryAfterMs } = decide(error);
      request.finish(result, { retryAfterMs });
      throw error;
    }
  });
  return known.canonical;
}
