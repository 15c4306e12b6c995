import type { Ports } from './ports.ts';
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

export function buildApi(ports: Ports, key: string): Api {
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
      return (await call(`http://127.0.0.1:${ports.api}${path}`, method, { ...options, headers })) as T;
    },
    sandbox: async (method, path, body) => {
      await call(`http://127.0.0.1:${ports.sandbox}/__sandbox${path}`, method, { body });
    },
  };
}
