import type { Dispatcher } from 'undici';
import type { EndpointRequest } from './build-requests.ts';
import { classifyFault } from './classify-fault.ts';
import { exchange, type WireAnswer } from './exchange.ts';
import { TradingViewError } from './trading-view-error.ts';
import type { Observation } from './tradingview.ts';

/** Reads a whole answer, with now in ms since 1970. @throws TradingViewError */
export type ReadAnswer<T> = (answer: WireAnswer, now: number) => T;

/** Makes one request; `observeAs` names a success where it is more than `ok`. */
export type PerformCall = <T>(
  request: EndpointRequest,
  read: ReadAnswer<T>,
  observeAs?: (value: T) => Observation['result'],
) => Promise<T>;

/** Builds the one path all requests take: exchange, read or classify, observe. */
export function buildCall(
  dispatcher: Dispatcher,
  deadlineMs: number,
  clock: () => number,
  onRequest: ((observation: Observation) => void) | undefined,
): PerformCall {
  type Outcome = Pick<Observation, 'result' | 'status'>;

  function observe({ account, endpoint }: EndpointRequest, { result, status }: Outcome, startedAt: number): void {
    if (onRequest === undefined) return;
    try {
      onRequest({ account, endpoint, result, status, ms: performance.now() - startedAt });
    } catch {
      // A write that was applied must not be reported as failed because a metric could not be kept.
    }
  }

  return async (request, read, observeAs) => {
    const startedAt = performance.now();
    const outcome = await exchange(dispatcher, request, deadlineMs, request.signal);
    try {
      if (outcome.kind === 'fault') throw classifyFault(request.endpoint, outcome, clock());
      const value = read(outcome, clock());
      observe(request, { result: observeAs?.(value) ?? 'ok', status: outcome.status }, startedAt);
      return value;
    } catch (error) {
      if (error instanceof TradingViewError) {
        observe(request, { result: error.code, status: error.status }, startedAt);
      }
      throw error;
    }
  };
}
