import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { buildDeparture } from './departure.ts';
import { type Answer, type Exchange, half, pieces, splitTarget } from './exchange.ts';
import { readBody } from './read-body.ts';

/** An HTTP/2 stream as an exchange: a reset concerns the stream only, the connection lives on. */
export function buildHttp2Exchange(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Exchange {
  const departure = buildDeparture();
  const { path, query } = splitTarget(headers[':path'] ?? '/');
  stream.on('close', departure.closed);
  stream.on('error', departure.closed);

  return {
    method: headers[':method'] ?? 'GET',
    path,
    query,
    headers,
    remoteAddress: stream.session?.socket.remoteAddress ?? '',
    get gone() {
      return departure.gone;
    },
    onGone: departure.onGone,
    readBody: (most) => (stream.endAfterHeaders ? Promise.resolve(Buffer.alloc(0)) : readBody(stream, most)),
    answer(answer) {
      if (!departure.end() || stream.closed) return;
      stream.respond(headersOf(answer, Buffer.byteLength(answer.body)));
      stream.end(answer.body);
    },
    cut(answer, form) {
      if (!departure.end() || stream.closed) return;
      if (form === 'length') {
        stream.respond(headersOf(answer, Buffer.byteLength(answer.body)));
        stream.write(half(answer.body), () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
        return;
      }
      stream.respond(headersOf(answer));
      stream.end(half(answer.body));
    },
    async drip(answer, pause, beforeLast) {
      if (stream.closed) return;
      stream.respond(headersOf(answer, Buffer.byteLength(answer.body)));
      const [last, ...others] = pieces(answer.body).reverse();
      for (const piece of others.reverse()) {
        stream.write(piece);
        await pause();
        if (departure.gone) return;
      }
      beforeLast();
      if (departure.end()) stream.end(last);
    },
    reset() {
      if (departure.end()) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    },
  };
}

function headersOf(answer: Answer, length?: number): OutgoingHttpHeaders {
  return {
    ':status': answer.status,
    'content-type': answer.type,
    ...(length !== undefined && { 'content-length': length }),
    ...answer.headers,
  };
}
