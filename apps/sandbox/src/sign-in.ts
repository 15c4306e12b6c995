import { type Answer, json } from './exchange.ts';
import type { Form } from './form.ts';
import type { Parts } from './parts.ts';
import { userId } from './usernames.ts';

const COOKIE = 'Path=/; HttpOnly; Secure';

/**
 * A login by password. Every refusal is a 200 with a code. After `signinLockAfter` attempts (since the last reset) the
 * account stays locked. Two factors set a cookie already, which is worth nothing.
 */
export function signIn(form: Form, parts: Parts): Answer {
  const { username = '', password = '' } = form;
  const { signin, signinLockAfter } = parts.settings.current;
  parts.counters.signin(username);
  if ((parts.counters.values.signins[username.toLowerCase()] ?? 0) > signinLockAfter) {
    return refuse('account_locked', 'Too many attempts. Try again tomorrow.');
  }
  const account = parts.accounts.ofLogin(username);
  if (!account || account.login?.password !== password) {
    return refuse('invalid_credentials', 'Invalid username or password');
  }
  if (signin === 'recaptcha_required') return refuse(signin, 'Please confirm that you are not a robot.');
  if (signin === '2FA_required') {
    return refuse(signin, 'Second factor required.', [`sessionid=pending-${account.id}; ${COOKIE}`]);
  }
  parts.accounts.setSession(account.id, true);
  const cookies = [`sessionid=${account.sessionid}; ${COOKIE}`];
  if (account.sessionidSign !== null) cookies.push(`sessionid_sign=${account.sessionidSign}; ${COOKIE}`);
  return json(200, { user: { id: userId(username), username: account.login.username } }, { 'set-cookie': cookies });
}

function refuse(code: string, error: string, cookies?: string[]): Answer {
  return json(200, { error, code }, cookies && { 'set-cookie': cookies });
}
