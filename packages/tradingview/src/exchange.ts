import type { Dispatcher } from 'undici';

type ResponseHeaders = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];

/** One request, ready to be written. */
export type WireRequest = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: string[];
  readonly body: string | null;
};

/** A whole answer. */
export type WireAnswer = {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly body: string;
};

/** No whole answer. `status` and `headers` are there where at least these arrived. */
export type WireFault = {
  readonly kind: 'fault';
  readonly why: 'deadline' | 'aborted' | 'error';
  readonly started: boolean;
  readonly status: number | null;
  readonly headers: ResponseHeaders;
  readonly error: unknown;
};

const NO_HEADERS: ResponseHeaders = Object.freeze({});

/**
 * Sends one request and resolves, never later than `deadlineMs`, with what came of it; it never rejects.
 *
 * On a bare dispatch handler because that is the fastest way through undici: `request()` with AbortSignal.timeout
 * made 4,300 to 12,200 calls a second where this made 12,300 to 18,900 (2 cores, both ends on them).
 */
export function exchange(
  dispatcher: Dispatcher,
  request: WireRequest,
  deadlineMs: number,
  signal: AbortSignal | undefined,
): Promise<WireAnswer | WireFault> {
  return new Promise((resolve) => {
    const handler = new ExchangeHandler(resolve, signal);
    if (!handler.arm(deadlineMs)) return;
    try {
      dispatcher.dispatch(request, handler);
    } catch (error) {
      handler.onResponseError(null, error);
    }
  });
}

class ExchangeHandler implements Dispatcher.DispatchHandler {
  readonly #resolve: (result: WireAnswer | WireFault) => void;
  readonly #signal: AbortSignal | undefined;
  #timer: NodeJS.Timeout | undefined;
  #controller: Dispatcher.DispatchController | null = null;
  #started = false;
  #finished = false;
  #status: number | null = null;
  #headers: ResponseHeaders = NO_HEADERS;
  #chunks: Buffer[] = [];

  constructor(resolve: (result: WireAnswer | WireFault) => void, signal: AbortSignal | undefined) {
    this.#resolve = resolve;
    this.#signal = signal;
  }

  /** Starts the deadline and listens for the caller; false when the caller has given up already. */
  arm(deadlineMs: number): boolean {
    if (this.#signal?.aborted) {
      this.#fail('aborted', null);
      return false;
    }
    this.#timer = setTimeout(this.#onDeadline, deadlineMs);
    this.#signal?.addEventListener('abort', this.#onAbort);
    return true;
  }

  // Called again where undici replays a stream that the server declared unprocessed (REFUSED_STREAM, GOAWAY).
  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Thrown, not controller.abort(): over HTTP/1.1 that would destroy the connection, which nothing is wrong with.
    if (this.#finished) throw new Error('given up before it was sent');
    this.#controller = controller;
    this.#started = true;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (this.#status === null) this.#fail('error', new Error('ended without a status'));
    else this.#finish({ kind: 'answer', status: this.#status, headers: this.#headers, body: this.#text() });
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: unknown): void {
    this.#fail('error', error);
  }

  readonly #onDeadline = (): void => this.#giveUp('deadline');
  readonly #onAbort = (): void => this.#giveUp('aborted');

  #giveUp(why: 'deadline' | 'aborted'): void {
    this.#fail(why, null);
    this.#controller?.abort(new Error(why));
  }

  #fail(why: WireFault['why'], error: unknown): void {
    this.#finish({
      kind: 'fault',
      why,
      started: this.#started,
      status: this.#status,
      headers: this.#headers,
      error,
    });
  }

  #finish(result: WireAnswer | WireFault): void {
    if (this.#finished) return;
    this.#finished = true;
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#resolve(result);
  }

  #text(): string {
    const [first] = this.#chunks;
    if (first === undefined) return '';
    return this.#chunks.length === 1 ? first.toString() : Buffer.concat(this.#chunks).toString();
  }
}
