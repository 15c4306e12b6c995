import type { WireRequest } from './exchange.ts';
import { buildRequestHeaders } from './request-headers.ts';
import type { Session } from './session.ts';
import { type Endpoint, TradingViewError } from './trading-view-error.ts';

/** A request and what it is observed as. */
export type EndpointRequest = WireRequest & {
  readonly endpoint: Endpoint;
  readonly account: string | undefined;
  readonly signal: AbortSignal | undefined;
};

/** Builds the requests of one client; a body makes it a POST. */
export type Requests = {
  /** @throws TradingViewError SESSION_EXPIRED where a cookie holds what no header can carry */
  withSession(
    endpoint: Endpoint,
    session: Session,
    path: string,
    body: string | null,
    options: { readonly signal?: AbortSignal } | undefined,
  ): EndpointRequest;
  withoutSession(
    endpoint: Endpoint,
    path: string,
    body: string | null,
    options: { readonly signal?: AbortSignal; readonly account?: string } | undefined,
  ): EndpointRequest;
};

export function buildRequests(userAgent: string | undefined): Requests {
  const headers = buildRequestHeaders(userAgent);
  return {
    withSession(endpoint, session, path, body, options) {
      const own = headers.forSession(session);
      if (own === null) {
        const details = { reason: 'session', sent: false, form: 'unauthorized' } as const;
        throw new TradingViewError(endpoint, 'SESSION_EXPIRED', details);
      }
      const { account } = session;
      const signal = options?.signal;
      return body === null
        ? { endpoint, account, signal, method: 'GET', path, headers: own.get, body }
        : { endpoint, account, signal, method: 'POST', path, headers: own.post, body };
    },
    withoutSession(endpoint, path, body, options) {
      const { account, signal } = options ?? {};
      return body === null
        ? { endpoint, account, signal, method: 'GET', path, headers: headers.anonymousGet, body }
        : { endpoint, account, signal, method: 'POST', path, headers: headers.anonymousPost, body };
    },
  };
}
