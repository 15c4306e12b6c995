import { Pool } from 'undici';

/** How to reach the upstream. */
export type PoolOptions = {
  /** Origin of the upstream, without a path; `http:` means HTTP/1.1. */
  readonly baseUrl: string;
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string | undefined;
  /** Most connections open at once, default 200: over HTTP/2 one carries 100 requests, over HTTP/1.1 just one. */
  readonly connections?: number | undefined;
  /** Whether to offer HTTP/2, default true; only `https:` can. */
  readonly http2?: boolean | undefined;
  /** Deadline of one request in ms. */
  readonly deadlineMs: number;
};

// An error page, or a whole list of scripts, is far smaller.
const MAX_RESPONSE_BYTES = 1024 * 1024;
/**
 * Requests that one HTTP/2 connection carries at a time: what nginx and most CDNs allow; undici opens the next connection only when those
 * open are full.
 */
export const STREAMS_PER_CONNECTION = 100;

/**
 * Opens the pool of connections. Nothing is connected before the first request.
 * @throws TypeError when `baseUrl` is not an http(s) origin
 */
export function openPool(options: PoolOptions): Pool {
  const url = new URL(options.baseUrl);
  if (!/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search !== '' || url.username !== '') {
    throw new TypeError('baseUrl must be an http(s) origin without path, query or credentials');
  }
  const http2 = url.protocol === 'https:' && (options.http2 ?? true);
  // Just inside the deadline: only undici's own timeout makes it ping the connection and replace a dead one.
  const stallMs = Math.max(1, Math.floor(options.deadlineMs * 0.9));
  return new Pool(url.origin, {
    connections: options.connections ?? 200,
    allowH2: http2,
    pipelining: 1,
    h2Options: { maxConcurrentStreams: STREAMS_PER_CONNECTION },
    connect: { preferH2: http2, ...(options.ca === undefined ? {} : { ca: options.ca }) },
    connectTimeout: options.deadlineMs,
    headersTimeout: stallMs,
    bodyTimeout: stallMs,
    // Over HTTP/2 a closing server says so (GOAWAY); over HTTP/1.1 a write may meet the closing connection half-way.
    keepAliveTimeout: http2 ? 30_000 : 4_000,
    maxResponseSize: MAX_RESPONSE_BYTES,
  });
}
