import type { FastifyInstance } from 'fastify';
import type { Viewer } from './login-sessions.ts';
import type { DashboardContext } from './open-context.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** null on the routes that need no login. */
    viewer: Viewer | null;
  }
  interface FastifyContextConfig {
    /** May be seen without a login. */
    open?: boolean;
  }
}

/** The cookie of a login. */
export const COOKIE = 'pinegate_session';

/** Lets nobody past who is not logged in: a page leads to the login, the board's API says 401. */
export function addAuthentication(app: FastifyInstance, { sessions, directory }: DashboardContext): void {
  app.decorateRequest('viewer', null);
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.open === true) return;
    const token = request.cookies[COOKIE];
    const viewer = token === undefined ? null : await sessions.read(token);
    if (viewer !== null && (await isStillValid(viewer))) {
      request.viewer = viewer;
      return;
    }
    if (request.url.startsWith('/queues/api')) return reply.code(401).send({ error: 'Log in first.' });
    return reply.redirect('/login', 303);
  });

  // A key that is removed ends its logins.
  async function isStillValid({ id }: Viewer): Promise<boolean> {
    return (
      id === 'admin' ||
      (await directory.keys.list()).some(
        (key) => key.id === id && (key.expiresAt ?? Number.POSITIVE_INFINITY) > Date.now(),
      )
    );
  }
}

/** Whether this viewer may change anything. */
export function isAdmin(viewer: Viewer | null): boolean {
  return viewer?.scopes.includes('admin') === true;
}
