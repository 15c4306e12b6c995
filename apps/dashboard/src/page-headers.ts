import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { STYLE } from './html.ts';

const styleHash = createHash('sha256').update(STYLE).digest('base64');
const COMMON = "default-src 'none'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'self'";
const OWN_PAGES = `${COMMON}; style-src 'sha256-${styleHash}'; script-src 'self'; connect-src 'self'`;
// Bull Board styles elements in place; its scripts are files, and its font from elsewhere is not fetched.
const BOARD = `${COMMON}; script-src 'self'; connect-src 'self'; font-src 'self'; style-src 'self' 'unsafe-inline'`;

/** Headers that keep a browser from running, framing or remembering what it should not. */
export function addPageHeaders(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply) => {
    reply.header('content-security-policy', isBoard(request.url) ? BOARD : OWN_PAGES);
    reply.header('x-content-type-options', 'nosniff');
    reply.header('referrer-policy', 'no-referrer');
    if (!request.url.startsWith('/queues/static/')) reply.header('cache-control', 'no-store');
  });
}

function isBoard(url: string): boolean {
  return /^\/queues(?:[/?]|$)/.test(url);
}
