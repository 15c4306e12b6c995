import { createHash } from 'node:crypto';
import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';

const NOTHING = {
  'default-src': ["'none'"],
  'frame-ancestors': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
};
const DOCS = "default-src 'none'; connect-src 'self'; img-src 'self' data:; font-src 'self' data:; base-uri 'none'";
const HALF_A_YEAR_S = 15_552_000;

/** Headers that keep a browser from running, framing or remembering what it should not; nothing here is ever meant for another site. */
export async function addSecurityHeaders(app: FastifyInstance): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: NOTHING },
    // For this host only: its parent domain is the vendor's own, and not ours to bind.
    strictTransportSecurity: { maxAge: HALF_A_YEAR_S, includeSubDomains: false },
    referrerPolicy: { policy: 'no-referrer' },
  });
  app.addHook('onSend', async (request, reply, payload) => {
    if (request.routeOptions.config.scope !== undefined) reply.header('cache-control', 'no-store');
    const isPage = String(reply.getHeader('content-type')).startsWith('text/html');
    if (isPage && typeof payload === 'string') reply.header('content-security-policy', policyOf(payload));
    return payload;
  });
}

// The page of the documentation has scripts in its text, which are allowed by what they are; its styles are written by its script.
function policyOf(page: string): string {
  const inline = [...page.matchAll(/<script(?![^>]*\bsrc=)[^>]*>([\s\S]*?)<\/script>/gi)].map(([, text = '']) => {
    return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  });
  const scripts = ["'self'", ...inline].join(' ');
  return `${DOCS}; script-src ${scripts}; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; form-action 'none'`;
}
