import type { ApiKey, Directory, Scope } from '@pinegate/ledger';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AttemptLimit } from './limit-requests.ts';
import { Problem } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What an API key must be allowed; a route without it needs no key. */
    scope?: Scope;
  }
  interface FastifyRequest {
    apiKey: ApiKey | null;
  }
}

// Longer than any key: keeps a huge header away from the hash.
const LONGEST_KEY = 512;

/**
 * Checks the API key of every request to a route with a scope, before its body is read.
 * Errors: `Problem` `unauthorized`, `scope_missing`, `rate_limited`.
 */
export function addAuthentication(app: FastifyInstance, keys: Directory['keys'], attempts: AttemptLimit): void {
  app.decorateRequest('apiKey', null);
  app.addHook('onRequest', async (request) => {
    const { scope } = request.routeOptions.config;
    if (scope === undefined) return;
    const secret = secretOf(request);
    attempts.check(request, secret);
    const key = secret === null ? null : await keys.verify(secret);
    if (key === null || secret === null) {
      await attempts.failed(request);
      throw new Problem('unauthorized', 'Send a valid API key as `Authorization: Bearer <key>` or `X-API-Key: <key>`.');
    }
    attempts.succeeded(secret);
    request.apiKey = key;
    if (!key.scopes.includes(scope)) {
      throw new Problem('scope_missing', `This needs an API key with the scope ${scope}.`, { members: { scope } });
    }
  });
}

/** The API key of a request to a route with a scope. */
export function keyOf(request: FastifyRequest): ApiKey {
  if (request.apiKey === null) throw new Error('The route has no scope.');
  return request.apiKey;
}

function secretOf({ headers }: FastifyRequest): string | null {
  const given = headers.authorization;
  const bearer = given === undefined ? null : (/^bearer +([\x21-\x7e]+) *$/i.exec(given)?.[1] ?? '');
  const plain = headers['x-api-key'];
  const secret = bearer ?? (typeof plain === 'string' ? plain : null);
  return secret === null || secret === '' || secret.length > LONGEST_KEY ? null : secret;
}
