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
export function addLogin(app: FastifyInstance, { directory, sessions, loginLimit, log }: DashboardContext): void {
  app.get('/login', { config: { open: true } }, async (_request, reply) => reply.type(HTML).send(loginPage(null)));

  app.post('/login', { config: { open: true } }, async (request, reply) => {
    const waitSeconds = await loginLimit.attempt(request.ip);
    if (waitSeconds !== null) {
      log.warn({ address: request.ip }, 'too many logins failed from an address');
      const problem = `Too many attempts. Try again in ${waitSeconds} s.`;
      return reply.code(429).header('retry-after', waitSeconds).type(HTML).send(loginPage(problem));
    }
    const sent = form.safeParse(request.body);
    const key = sent.success ? await directory.keys.verify(sent.data.key.trim()) : null;
    if (key === null) {
      log.warn({ address: request.ip }, 'a login failed');
      return reply.code(401).type(HTML).send(loginPage('That is no key of this Pinegate.'));
    }
    await loginLimit.succeeded(request.ip);
    const who = { actor: key.id, actorName: key.name, address: request.ip };
    const nothing = { reason: null, before: null, after: null, code: null };
    await directory.audit.write({ ...who, ...nothing, action: 'login', target: key.id, result: 'done' });
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
