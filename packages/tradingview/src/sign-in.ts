import { z } from 'zod';
import { readAnswer } from './classify-answer.ts';
import type { WireAnswer } from './exchange.ts';
import { TradingViewError } from './trading-view-error.ts';

/**
 * What came of a sign-in. Only `signed_in` is a login; every other answer needs a human, and none may be tried
 * again in a loop: a few sign-ins in a short time lock the account.
 */
export type SignInResult =
  | { readonly status: 'signed_in'; readonly sessionid: string; readonly sessionidSign: string | null }
  | { readonly status: 'captcha_required' }
  | { readonly status: 'two_factor_required' }
  | { readonly status: 'refused' };

const signInAnswer = z.looseObject({
  user: z.record(z.string(), z.unknown()).nullish(),
  error: z.string().nullish(),
  code: z.string().nullish(),
});

/**
 * Reads the answer of `signin`. The upstream sets cookies before the second factor too, so a cookie proves nothing:
 * a login is an answer with a user and without an error.
 * @throws TradingViewError
 */
export function readSignIn(answer: WireAnswer, now: number): SignInResult {
  if (answer.status === 401 || answer.status === 403) return { status: 'refused' };
  const { user, error, code } = readAnswer('signin', answer, signInAnswer, now);
  if (code === 'recaptcha_required') return { status: 'captcha_required' };
  if (code === '2FA_required') return { status: 'two_factor_required' };
  if (error || code) return { status: 'refused' };
  const cookies = readCookies(answer.headers['set-cookie']);
  const sessionid = cookies.get('sessionid');
  if (user == null || !sessionid) {
    throw new TradingViewError('signin', 'UNCERTAIN', { reason: 'shape', sent: true, status: answer.status });
  }
  return { status: 'signed_in', sessionid, sessionidSign: cookies.get('sessionid_sign') || null };
}

function readCookies(header: string | string[] | undefined): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const line of [header ?? []].flat()) {
    const pair = /^\s*([^=;]+)=([^;]*)/.exec(line);
    if (pair?.[1] !== undefined && pair[2] !== undefined) cookies.set(pair[1].trim(), pair[2].trim());
  }
  return cookies;
}
