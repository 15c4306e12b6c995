import { StartProblem } from './start-problem.ts';

export interface CallOptions {
  /** An object is sent as JSON, text as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Calls the demo's own servers. Errors: `StartProblem` for any answer but 2xx. */
export interface Api {
  rest<T>(method: string, path: string, options?: CallOptions): Promise<T>;
  sandbox(method: string, path: string, body: unknown): Promise<void>;
}

/** Where the two servers are, as `http://host:port`. */
export interface ApiUrls {
  readonly api: string;
  readonly sandbox: string;
}

export function buildApi(urls: ApiUrls, key: string): Api {
  async function call(url: string, method: string, { body, headers = {} }: CallOptions): Promise<unknown> {
    const isText = typeof body === 'string';
    const answer = await fetch(url, {
      method,
      headers: { ...(isText || body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new StartProblem(`${method} ${new URL(url).pathname} was answered ${answer.status}: ${text}`);
    return JSON.parse(text);
  }
  return {
    rest: async <T>(method: string, path: string, options: CallOptions = {}) => {
      const headers = { authorization: `Bearer ${key}`, ...options.headers };
      return (await call(`${urls.api}${path}`, method, { ...options, headers })) as T;
    },
    sandbox: async (method, path, body) => {
      await call(`${urls.sandbox}/__sandbox${path}`, method, { body });
    },
  };
}
