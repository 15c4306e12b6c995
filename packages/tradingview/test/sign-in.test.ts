import { expect, it } from 'vitest';
import type { WireAnswer } from '../src/exchange.ts';
import { readSignIn } from '../src/sign-in.ts';

const COOKIES = ['sessionid=abc; Path=/; HttpOnly', 'sessionid_sign=v1:def=; Path=/'];

function answer(status: number, body: unknown, cookies: string | string[] = []): WireAnswer {
  const headers = { 'content-type': 'application/json', 'set-cookie': cookies as string[] };
  return { kind: 'answer', status, headers, body: JSON.stringify(body) };
}

it('a user without an error, and the cookies, is a login', () => {
  expect(readSignIn(answer(200, { user: { id: 1 }, error: '' }, COOKIES), 0)).toEqual({
    status: 'signed_in',
    sessionid: 'abc',
    sessionidSign: 'v1:def=',
  });
  expect(readSignIn(answer(200, { user: { id: 1 } }, 'sessionid=abc; Path=/'), 0)).toMatchObject({
    sessionid: 'abc',
    sessionidSign: null,
  });
});

it.each([
  ['recaptcha_required', 'captcha_required'],
  ['2FA_required', 'two_factor_required'],
  ['account_locked', 'refused'],
])('%s is no login, although cookies came with it', (code, status) => {
  expect(readSignIn(answer(200, { error: 'x', code, user: { id: 1 } }, COOKIES), 0)).toEqual({ status });
});

it('an error without a code is a refusal', () => {
  expect(readSignIn(answer(200, { error: 'no' }, COOKIES), 0)).toEqual({ status: 'refused' });
});

it.each([401, 403])('%i is a refusal, not a dead session', (status) => {
  expect(readSignIn(answer(status, {}), 0)).toEqual({ status: 'refused' });
});

it('a cookie without a user proves nothing, and a user without a cookie is worth nothing', () => {
  for (const given of [answer(200, {}, COOKIES), answer(200, { user: { id: 1 } })]) {
    expect(() => readSignIn(given, 0)).toThrow(expect.objectContaining({ code: 'UNCERTAIN', reason: 'shape' }));
  }
});
