import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { Problem } from './problem.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** SHA-256 of the JSON body, of nothing where there is none. Only with an Idempotency-Key. */
    bodyHash: string;
  }
}

/** Largest JSON body, in bytes. */
export const MAX_JSON_BYTES = 8 * 1_024 * 1_024;

const EMPTY_HASH = hashOf(Buffer.alloc(0));
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Takes JSON bodies only, in UTF-8 and without compression.
 * Errors: `Problem` `invalid_json`, `unsupported_media_type`.
 */
export function addBodyParsers(app: FastifyInstance): void {
  app.decorateRequest('bodyHash', EMPTY_HASH);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (request.headers['idempotency-key'] !== undefined) request.bodyHash = hashOf(body);
    if (body.length === 0) return done(null, undefined);
    try {
      done(null, JSON.parse(utf8.decode(body)));
    } catch (cause) {
      done(new Problem('invalid_json', 'The body is not JSON in UTF-8.', { cause }));
    }
  });
  app.addHook('onRequest', async ({ headers }) => {
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      throw new Problem('unsupported_media_type', 'Send the body without Content-Encoding.');
    }
    const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(headers['content-type'] ?? '')?.[1];
    if (charset !== undefined && !/^(utf-?8|us-ascii)$/i.test(charset)) {
      throw new Problem('unsupported_media_type', 'Send the body in UTF-8.');
    }
  });
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64url');
}
