import { request } from 'node:http';

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: read field by field, as a client would.
  readonly body: any;
}

export interface ApiClient {
  /** One try at one of the apis; null when no answer came. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer | null>;
  /** Tries again while there is no answer, or one that says so; null when it gave up. */
  insist(method: string, path: string, options?: CallOptions): Promise<Answer | null>;
  /** Sends that share of the body and breaks off. */
  cut(method: string, path: string, options: CallOptions, share: number): Promise<void>;
}

export interface CallOptions {
  readonly key?: string;
  readonly body?: unknown;
  /** Sent as it is, with its media type, instead of `body`. */
  readonly raw?: { readonly type: string; readonly text: string };
}

const TIMEOUT_MS = 8_000;
const PATIENCE_MS = 150_000;
const CUT_AFTER_MS = 60;

/** A client that expects everything to fail. Each call goes to any of the apis. */
export function createApiClient(urls: readonly string[], adminKey: string, ended: AbortSignal): ApiClient {
  const urlOf = () => urls[Math.floor(Math.random() * urls.length)] ?? '';

  function headersOf({ key, body, raw }: CallOptions): Record<string, string> {
    return {
      authorization: `Bearer ${adminKey}`,
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...(raw ? { 'content-type': raw.type } : body === undefined ? {} : { 'content-type': 'application/json' }),
    };
  }

  const client: ApiClient = {
    async call(method, path, options = {}) {
      const body = options.raw?.text ?? (options.body === undefined ? null : JSON.stringify(options.body));
      try {
        const signal = AbortSignal.timeout(TIMEOUT_MS);
        const response = await fetch(urlOf() + path, { method, headers: headersOf(options), body, signal });
        const text = await response.text();
        return { status: response.status, body: text === '' ? null : JSON.parse(text) };
      } catch {
        return null;
      }
    },
    async insist(method, path, options) {
      const until = performance.now() + PATIENCE_MS;
      while (!ended.aborted && performance.now() < until) {
        const answer = await client.call(method, path, options);
        if (answer !== null && !isTransient(answer)) return answer;
        await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 500));
      }
      return null;
    },
    cut(method, path, options, share) {
      const text = options.raw?.text ?? JSON.stringify(options.body);
      return new Promise((resolve) => {
        const sent = request(urlOf() + path, { method, headers: headersOf(options) });
        sent.on('error', () => {});
        sent.on('close', () => resolve());
        sent.on('response', (response) => response.resume());
        sent.write(text.slice(0, Math.floor(text.length * share)));
        setTimeout(() => sent.destroy(), CUT_AFTER_MS * (1 + Math.random() * 4));
      });
    },
  };
  return client;
}

/** Answers after which the same request is sent again. */
function isTransient({ status, body }: Answer): boolean {
  if (status >= 500) return true;
  return body?.code === 'request_running' || body?.code === 'upload_interrupted';
}
