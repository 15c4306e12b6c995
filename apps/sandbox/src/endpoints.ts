import type { Account } from './accounts.ts';
import type { Call } from './call.ts';
import { deadSessionAnswer } from './dead-session.ts';
import { type Answer, html, json } from './exchange.ts';
import { listUsers } from './list-users.ts';
import type { Endpoint } from './options.ts';
import type { Parts } from './parts.ts';
import { signIn } from './sign-in.ts';
import { hintUsername } from './username-hint.ts';
import { write } from './write.ts';

const SITE = 'https://www.tradingview.com';

type Route = { readonly endpoint: Endpoint; readonly method: 'GET' | 'POST' };

const ROUTES: Readonly<Record<string, Route>> = {
  '/tvcoins/details/': { endpoint: 'tvcoins', method: 'GET' },
  '/username_hint/': { endpoint: 'username_hint', method: 'GET' },
  '/pine_perm/list_users/': { endpoint: 'list_users', method: 'POST' },
  '/pine_perm/add/': { endpoint: 'add', method: 'POST' },
  '/pine_perm/modify_user_expiration/': { endpoint: 'modify', method: 'POST' },
  '/pine_perm/remove/': { endpoint: 'remove', method: 'POST' },
  '/pine_perm/list_scripts/': { endpoint: 'list_scripts', method: 'GET' },
  '/accounts/signin/': { endpoint: 'signin', method: 'POST' },
};

/** The endpoint of a request, or what to answer where there is none. */
export function findEndpoint(method: string, path: string): Endpoint | Answer {
  const route = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;
  if (!route) return html(404, 'Page not found', 'This is not the page you are looking for.');
  if (route.method === method) return route.endpoint;
  return json(405, { detail: `Method "${method}" not allowed.` }, { allow: route.method });
}

/** Does what the request asks for, unless its headers or its session forbid it. `late`: its client has gone. */
export function perform(call: Call, parts: Parts, late = call.exchange.gone): Answer {
  const forbidden = parts.settings.current.strictHeaders ? checkHeaders(call) : null;
  if (forbidden) return forbidden;
  if (call.endpoint === 'username_hint') return hintUsername(call.exchange.query, parts);
  if (call.form === null) return json(415, { detail: 'Unsupported media type in request.' });
  if (call.endpoint === 'signin') return signIn(call.form, parts);
  const account = livingAccount(call, parts);
  if ('status' in account) return account;
  switch (call.endpoint) {
    case 'tvcoins':
      return json(200, { coins: 0, earned: 0, spent: 0 });
    case 'list_scripts':
      return json(200, account.scripts);
    case 'list_users':
      return listUsers(call.exchange.query, call.form, account, parts);
    default:
      return write({ ...call, op: call.endpoint, form: call.form, account, late }, parts);
  }
}

/** The details never speak of authentication: that would be a dead session. */
function checkHeaders({ endpoint, exchange: { headers } }: Call): Answer | null {
  const fault =
    (headers.origin !== SITE && 'Origin checking failed') ||
    (!headers.referer?.startsWith(SITE) && 'Referer checking failed') ||
    (endpoint !== 'username_hint' &&
      headers['x-requested-with'] !== 'XMLHttpRequest' &&
      'X-Requested-With is not XMLHttpRequest');
  return fault ? json(403, { detail: `CSRF Failed: ${fault}.` }) : null;
}

function livingAccount(call: Call, parts: Parts): Account | Answer {
  // Looked up again: the session may have died or come back while the request was on its way.
  const account = call.owner && parts.accounts.get(call.owner.account.id);
  const isCurrent = account && account.sessionid === call.owner?.account.sessionid && call.owner.signed;
  if (account && isCurrent && account.session.alive) return account;
  return deadSessionAnswer(account?.session.form ?? parts.settings.current.deadSessionForm);
}
