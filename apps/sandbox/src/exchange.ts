import type { IncomingHttpHeaders } from 'node:http';

/** What the stand-in says. */
export type Answer = {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
};

/** One request and the ways to end it, the same over HTTP/1.1 and HTTP/2. Ending it twice has no effect. */
export type Exchange = {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string;
  /** The client left before it was answered. */
  readonly gone: boolean;
  /** Called at once where the client has left already; never after an answer. */
  onGone(listener: () => void): void;
  /** The whole body; null where it broke off or is longer than `most` bytes. */
  readBody(most: number): Promise<Buffer | null>;
  answer(answer: Answer): void;
  /** Half of the body, then the end: with the length of the whole announced, or with none. */
  cut(answer: Answer, form: 'length' | 'close'): void;
  /** The whole answer in a few pieces; `pause` is awaited between them, and `beforeLast` called while the client still lacks some. */
  drip(answer: Answer, pause: () => Promise<void>, beforeLast: () => void): Promise<void>;
  /** Breaks the connection, or over HTTP/2 the stream. */
  reset(): void;
};

export function json(status: number, value: unknown, headers?: Answer['headers']): Answer {
  return { status, type: 'application/json', body: JSON.stringify(value), ...(headers && { headers }) };
}

export function html(status: number, title: string, text: string, headers?: Answer['headers']): Answer {
  const body = `<!DOCTYPE html>\n<html lang="en">\n<head><title>${title}</title></head>\n<body><h1>${title}</h1><p>${text}</p></body>\n</html>\n`;
  return { status, type: 'text/html; charset=utf-8', body, ...(headers && { headers }) };
}

/** The first half of a body, in bytes. */
export function half(body: string): Buffer {
  const bytes = Buffer.from(body);
  return bytes.subarray(0, Math.floor(bytes.length / 2));
}

/** The body in at most eight pieces, none of them empty. */
export function pieces(body: string): Buffer[] {
  const bytes = Buffer.from(body);
  const length = Math.max(1, Math.ceil(bytes.length / 8));
  const cut: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += length) cut.push(bytes.subarray(at, at + length));
  return cut;
}

export function splitTarget(target: string): { path: string; query: URLSearchParams } {
  const mark = target.indexOf('?');
  if (mark < 0) return { path: target, query: NO_QUERY };
  return { path: target.slice(0, mark), query: new URLSearchParams(target.slice(mark + 1)) };
}

const NO_QUERY = new URLSearchParams();
