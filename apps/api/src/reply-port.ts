import type { ServerResponse } from 'node:http';

/** What answering needs of Fastify's reply, whose own type differs from route to route. */
export interface ReplyPort {
  readonly raw: ServerResponse;
  code(status: number): unknown;
  header(name: string, value: string): unknown;
  type(mediaType: string): unknown;
  send(payload?: unknown): unknown;
}
