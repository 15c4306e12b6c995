import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { COOKIE } from './authenticate.ts';
import { html, page } from './html.ts';
import { SESSION_SECONDS } from './login-sessions.ts';
import type { DashboardContext } from './open-context.ts';

const form = z.object({ key: z.string().max(512) });
const COOKIE_OPTIONS = { path: '/', httpOnly: true, sameSite: 'strict' } as const;
const HTML = 'text/html; charset=utf-8';

/** `/login` and `/logout`. */
export function addLogin(app: FastifyInstance, { directory, sessions, log }: DashboardContext): void {
  app.get('/login', { config: { open: true } }, async (_request, reply) => reply.type(HTML).send(loginPage(null)));

  app.post('/login', { config: { open: true } }, async (request, reply) => {
    const sent = form.safeParse(request.body);
    const key = sent.success ? await directory.keys.verify(sent.data.key.trim()) : null;
    if (key === null) {
      log.warn('a login failed');
      return reply.code(401).type(HTML).send(loginPage('That is no key of this Pinegate.'));
    }
    log.info({ keyId: key.id }, 'logged in');
    const token = await sessions.create(key);
    const secure = request.protocol === 'https';
    return reply.setCookie(COOKIE, token, { ...COOKIE_OPTIONS, secure, maxAge: SESSION_SECONDS }).redirect('/', 303);
  });

  app.post('/logout', { config: { open: true } }, async (request, reply) => {
    const token = request.cookies[COOKIE];
    if (token !== undefined) await sessions.remove(token);
    return reply.clearCookie(COOKIE, COOKIE_OPTIONS).redirect('/login', 303);
  });
}

function loginPage(problem: string | null): string {
  return page(
    'Login',
    html`<header><h1>Pinegate</h1></header>
<form class="login" method="post" action="/login">
${problem === null ? [] : html`<p class="problem" role="alert">${problem}</p>`}
<label>API key <input type="password" name="key" required autofocus autocomplete="current-password"></label>
<button>Log in</button></form>`,
  );
}
