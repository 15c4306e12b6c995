import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { COOKIE } from './authenticate.ts';

/** What the forms of a login carry: only who may read its pages knows it. Nothing about the cookie can be learned from it. */
export function csrfToken(request: FastifyRequest): string {
  return createHash('sha256')
    .update(`csrf:${request.cookies[COOKIE] ?? ''}`)
    .digest('base64url');
}

/** Refuses a form that does not carry the token of its login. */
export async function requireCsrf(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const body = request.body as { readonly csrf?: unknown } | null | undefined;
  const sent = Buffer.from(typeof body?.csrf === 'string' ? body.csrf : '');
  const wanted = Buffer.from(csrfToken(request));
  if (sent.length === wanted.length && timingSafeEqual(sent, wanted)) return;
  return reply.code(403).type('text/plain; charset=utf-8').send('This form is not of your login: load the page again.');
}
