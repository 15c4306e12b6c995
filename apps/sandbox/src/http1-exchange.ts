import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import { buildDeparture } from './departure.ts';
import { type Answer, type Exchange, half, pieces, splitTarget } from './exchange.ts';
import { readBody } from './read-body.ts';

/** An HTTP/1.1 request as an exchange. */
export function buildHttp1Exchange(request: IncomingMessage, response: ServerResponse): Exchange {
  const departure = buildDeparture();
  const { path, query } = splitTarget(request.url ?? '/');
  const { socket } = request;
  response.on('close', departure.closed);
  response.on('error', departure.closed);

  return {
    method: request.method ?? 'GET',
    path,
    query,
    headers: request.headers,
    remoteAddress: socket.remoteAddress ?? '',
    get gone() {
      return departure.gone;
    },
    onGone: departure.onGone,
    readBody: (most) => readBody(request, most),
    answer(answer) {
      if (!departure.end()) return;
      response.writeHead(answer.status, headersOf(answer, Buffer.byteLength(answer.body)));
      response.end(answer.body);
    },
    cut(answer, form) {
      if (!departure.end()) return;
      if (form === 'length') {
        response.writeHead(answer.status, headersOf(answer, Buffer.byteLength(answer.body)));
        response.write(half(answer.body), () => socket.destroy());
        return;
      }
      // Without chunks and without a length only the end of the connection ends the body.
      response.removeHeader('transfer-encoding');
      response.writeHead(answer.status, { ...headersOf(answer), connection: 'close' });
      response.write(half(answer.body));
      response.end();
    },
    async drip(answer, pause, beforeLast) {
      response.writeHead(answer.status, headersOf(answer, Buffer.byteLength(answer.body)));
      const [last, ...others] = pieces(answer.body).reverse();
      for (const piece of others.reverse()) {
        response.write(piece);
        await pause();
        if (departure.gone) return;
      }
      beforeLast();
      if (departure.end()) response.end(last);
    },
    reset() {
      if (!departure.end()) return;
      // Only a bare TCP handle can send RST; a TLS connection breaks without its closing alert.
      if (socket instanceof TLSSocket) socket.destroy();
      else socket.resetAndDestroy();
    },
  };
}

function headersOf(answer: Answer, length?: number): Record<string, string | string[] | number> {
  return {
    'content-type': answer.type,
    ...(length !== undefined && { 'content-length': length }),
    ...answer.headers,
  };
}
