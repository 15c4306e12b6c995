import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import type { Sandbox } from '../src/index.ts';

export type Reply = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string };

/** `leave` aborts the request, as a client does that gave up. */
export type Ask = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly leave?: AbortSignal;
};

/** A client of one protocol; rejects with the error Node gives for a broken connection, stream or body. */
export type Client = { ask(path: string, ask?: Ask): Promise<Reply>; close(): void };

export function openHttp1(sandbox: Sandbox): Client {
  const agent = new Agent({ keepAlive: true });
  return {
    ask: (path, { method = 'GET', headers = {}, body, leave } = {}) =>
      new Promise((resolve, reject) => {
        const request = httpRequest(`${sandbox.url}${path}`, {
          agent,
          method,
          headers,
          ...(leave && { signal: leave }),
        });
        request.on('error', reject);
        request.on('response', (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('error', reject);
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
          );
        });
        request.end(body);
      }),
    close: () => agent.destroy(),
  };
}

export function openHttp2(sandbox: Sandbox): Client {
  const session: ClientHttp2Session = connect(sandbox.tlsUrl, { ca: sandbox.certificate });
  return {
    ask: (path, { method = 'GET', headers = {}, body, leave } = {}) =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':path': path, ':method': method, ...headers }, { endStream: !body });
        let got: IncomingHttpHeaders & { ':status'?: number } = {};
        let text = '';
        leave?.addEventListener('abort', () => stream.close(constants.NGHTTP2_CANCEL));
        stream.setEncoding('utf8');
        stream.on('response', (headers) => {
          got = headers;
        });
        stream.on('data', (chunk: string) => {
          text += chunk;
        });
        stream.on('error', reject);
        stream.on('close', () => {
          if (stream.rstCode === 0) resolve({ status: got[':status'] ?? 0, headers: got, body: text });
          else reject(new Error(`stream reset with ${stream.rstCode}`));
        });
        if (body) stream.end(body);
      }),
    close: () => session.destroy(),
  };
}

export const SCRIPT = `PUB;${'a'.repeat(32)}`;
export const FOREIGN_SCRIPT = `PUB;${'f'.repeat(32)}`;

export const HEADERS = {
  origin: 'https://www.tradingview.com',
  referer: 'https://www.tradingview.com/',
  'x-requested-with': 'XMLHttpRequest',
  cookie: 'sessionid=alive; other=1',
};

export const PATHS = {
  add: '/pine_perm/add/',
  modify: '/pine_perm/modify_user_expiration/',
  remove: '/pine_perm/remove/',
} as const;

/** The calls as a correct client makes them. */
export function callsOf(client: Client) {
  function send(path: string, contentType: string, body: string, ask: Ask = {}): Promise<Reply> {
    const headers = { ...HEADERS, 'content-type': contentType, ...ask.headers };
    return client.ask(path, { ...ask, method: 'POST', headers, body });
  }

  function post(path: string, fields: Readonly<Record<string, string>>, ask?: Ask): Promise<Reply> {
    return send(path, 'application/x-www-form-urlencoded', String(new URLSearchParams(fields)), ask);
  }

  function write(op: keyof typeof PATHS, username: string, expiration?: string, ask?: Ask): Promise<Reply> {
    const fields = { pine_id: SCRIPT, username_recip: username };
    return post(PATHS[op], expiration === undefined ? fields : { ...fields, expiration }, ask);
  }

  return {
    send,
    post,
    write,
    get: (path: string, headers: Ask['headers'] = {}) => client.ask(path, { headers: { ...HEADERS, ...headers } }),
    list: (query = '', fields: Readonly<Record<string, string>> = {}) =>
      post(`/pine_perm/list_users/${query}`, { pine_id: SCRIPT, ...fields }),
    control: (method: string, path: string, body?: unknown) =>
      client.ask(`/__sandbox/${path}`, { method, ...(body !== undefined && { body: JSON.stringify(body) }) }),
  };
}
