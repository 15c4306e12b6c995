import { makeCertificate } from './certificate.ts';
import { buildControl, CONTROL_PREFIX } from './control.ts';
import { findEndpoint } from './endpoints.ts';
import type { Exchange } from './exchange.ts';
import { listen } from './listen.ts';
import type { OptionsPatch } from './options.ts';
import { buildParts } from './parts.ts';
import { buildState, type SandboxState, type Setup } from './state.ts';
import { serveUpstream } from './upstream.ts';

/** Every part has a default. */
export type SandboxInput = Setup & {
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** HTTP/1.1; default 0 = any free port. */
  readonly port?: number | undefined;
  /** TLS with HTTP/2 and HTTP/1.1; default 0 = any free port. */
  readonly tlsPort?: number | undefined;
  /** The seed of every random choice; default `sandbox`. */
  readonly seed?: string | undefined;
  /** The clock, ms since 1970; default Date.now. Delays run on real timers all the same. */
  readonly now?: (() => number) | undefined;
  /** Names and addresses the certificate is for; default localhost, sandbox, 127.0.0.1, ::1 and the host. */
  readonly names?: readonly string[] | undefined;
  /** Streams the server allows one HTTP/2 connection; default 128. */
  readonly maxConcurrentStreams?: number | undefined;
  readonly options?: OptionsPatch | undefined;
};

export type Sandbox = {
  /** `http://host:port`, HTTP/1.1. */
  readonly url: string;
  /** `https://host:port`, HTTP/2 and HTTP/1.1. */
  readonly tlsUrl: string;
  /** PEM; clients of `tlsUrl` trust it as an authority. */
  readonly certificate: string;
  readonly state: SandboxState;
  /** Breaks every connection and frees both ports; late writes never land after it. */
  close(): Promise<void>;
};

/**
 * Starts a stand-in for TradingView. Throws SandboxError `port_taken`, `invalid_request` for bad options, and what
 * `state.putAccount` throws for a bad setup.
 */
export async function createSandbox(input: SandboxInput = {}): Promise<Sandbox> {
  const { host = '127.0.0.1', port = 0, tlsPort = 0, seed = 'sandbox', now = Date.now } = input;
  const parts = buildParts({ seed, now, options: input.options ?? {} });
  const state = buildState(parts, input);
  const names = [...new Set(input.names ?? ['localhost', 'sandbox', '127.0.0.1', '::1', host])];
  const certificate = await makeCertificate(names);
  const control = buildControl({ state, certificate: certificate.certificate, pause: parts.timers.pause });

  // A promise that rejects here is a mistake in the sandbox itself: it must end the process, not look like an outage.
  function serve(exchange: Exchange): Promise<void> | void {
    if (exchange.path.startsWith(CONTROL_PREFIX)) return control(exchange);
    const endpoint = findEndpoint(exchange.method, exchange.path);
    if (typeof endpoint !== 'string') return exchange.answer(endpoint);
    return serveUpstream(exchange, endpoint, parts);
  }

  const listening = await listen({
    host,
    port,
    tlsPort,
    certificate,
    maxConcurrentStreams: input.maxConcurrentStreams ?? 128,
    serve,
  });
  let closing: Promise<void> | undefined;

  async function stop(): Promise<void> {
    // Before the connections break: to a late write that is the client's leaving.
    parts.lateWrites.clear();
    await listening.close();
    parts.timers.clear();
    parts.events.close();
  }

  const urlHost = host.includes(':') ? `[${host}]` : host;

  return {
    url: `http://${urlHost}:${listening.port}`,
    tlsUrl: `https://${urlHost}:${listening.tlsPort}`,
    certificate: certificate.certificate,
    state,
    close() {
      closing ??= stop();
      return closing;
    },
  };
}
