import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addAnswer, detailsAnswer, listUsersAnswer, modifyAnswer, removeAnswer } from '../src/answer-schemas.ts';
import { readAnswer } from '../src/classify-answer.ts';
import type { WireAnswer } from '../src/exchange.ts';
import { type Endpoint, TradingViewError } from '../src/trading-view-error.ts';

const NOW = Date.UTC(2026, 8, 1);
const PAGE = '<!DOCTYPE html><html><title>Sign in</title></html>';
const CHALLENGE = '<html><title>Just a moment...</title></html>';
const SCHEMAS = { add: addAnswer, modify: modifyAnswer, remove: removeAnswer, list_users: listUsersAnswer } as const;

function answer(status: number, body: unknown, headers: WireAnswer['headers'] = {}): WireAnswer {
  const isText = typeof body === 'string';
  const type = isText && body.startsWith('<') ? 'text/html; charset=utf-8' : 'application/json';
  const text = isText ? body : JSON.stringify(body);
  return { kind: 'answer', status, headers: { 'content-type': type, ...headers }, body: text };
}

function failure(endpoint: keyof typeof SCHEMAS | 'details', given: WireAnswer): TradingViewError {
  try {
    if (endpoint === 'details') readAnswer(endpoint, given, detailsAnswer, NOW);
    else readAnswer<unknown>(endpoint, given, SCHEMAS[endpoint], NOW);
  } catch (error) {
    if (error instanceof TradingViewError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('a write answered with', () => {
  it.each([
    ['401', answer(401, { detail: 'no' }), { code: 'SESSION_EXPIRED', form: 'unauthorized' }],
    ['401 and a page', answer(401, PAGE), { code: 'SESSION_EXPIRED', form: 'unauthorized' }],
    [
      '403 login_required',
      answer(403, { code: 'login_required' }),
      { code: 'SESSION_EXPIRED', form: 'login_required' },
    ],
    [
      '403 and a detail about authentication',
      answer(403, { detail: 'Authentication credentials were not provided.' }),
      { code: 'SESSION_EXPIRED', form: 'login_required', upstreamCode: null },
    ],
    [
      '403 about something else',
      answer(403, { detail: 'CSRF Failed: designing.' }),
      { code: 'BAD_REQUEST', form: null },
    ],
    ['403 and a page', answer(403, PAGE), { code: 'UNCERTAIN', reason: 'html', suspectSession: true }],
    ['403 and a challenge', answer(403, CHALLENGE), { code: 'UNCERTAIN', reason: 'challenge', suspectSession: true }],
    [
      'a redirect to the sign-in page',
      answer(302, PAGE, { location: '/accounts/signin/?next=/' }),
      { code: 'SESSION_EXPIRED', form: 'redirect' },
    ],
    [
      'a redirect to the absolute sign-in page',
      answer(301, PAGE, { location: 'https://www.tradingview.com/accounts/signin/' }),
      { code: 'SESSION_EXPIRED', form: 'redirect' },
    ],
    [
      'a redirect elsewhere',
      answer(302, PAGE, { location: '/maintenance/' }),
      { code: 'UNCERTAIN', reason: 'redirect' },
    ],
    ['a redirect to nowhere', answer(302, PAGE), { code: 'UNCERTAIN', reason: 'redirect' }],
    ['429', answer(429, {}), { code: 'RATE_LIMITED', retryAfterMs: null }],
    ['429 and seconds', answer(429, {}, { 'retry-after': '7' }), { code: 'RATE_LIMITED', retryAfterMs: 7000 }],
    [
      '429 and a date',
      answer(429, {}, { 'retry-after': new Date(NOW + 90_000).toUTCString() }),
      { code: 'RATE_LIMITED', retryAfterMs: 90_000 },
    ],
    [
      '422 for the username',
      answer(422, { code: 'username_recip_not_found', detail: 'User not found: X' }),
      { code: 'USER_NOT_FOUND', upstreamCode: 'username_recip_not_found' },
    ],
    ['422 for the script', answer(422, { pine_id: ['Script not found.'] }), { code: 'SCRIPT_REFUSED' }],
    ['422 for anything else', answer(422, { expiration: ['wrong'] }), { code: 'BAD_REQUEST' }],
    ['422 cut off', answer(422, '{"code":"username_re'), { code: 'UNCERTAIN', reason: 'cut' }],
    ['400', answer(400, { code: 'bad_request_code' }), { code: 'BAD_REQUEST', upstreamCode: 'bad_request_code' }],
    ['404 and a page', answer(404, PAGE), { code: 'BAD_REQUEST' }],
    ['408', answer(408, {}), { code: 'UNCERTAIN' }],
    ['500', answer(500, PAGE), { code: 'UNCERTAIN', reason: 'server_error' }],
    ['502', answer(502, PAGE), { code: 'UNCERTAIN', reason: 'server_error' }],
    ['503 and seconds', answer(503, PAGE, { 'retry-after': '3' }), { code: 'UNCERTAIN', retryAfterMs: 3000 }],
    ['200 and a page', answer(200, PAGE), { code: 'UNCERTAIN', reason: 'html', suspectSession: true }],
    ['200 and a challenge', answer(200, CHALLENGE), { code: 'UNCERTAIN', reason: 'challenge', suspectSession: true }],
    [
      '200 and a page marked as a challenge',
      answer(200, PAGE, { 'cf-mitigated': 'challenge' }),
      { code: 'UNCERTAIN', reason: 'challenge', suspectSession: true },
    ],
    [
      '200 and another type',
      answer(200, '{"status":"ok"}', { 'content-type': 'text/plain' }),
      { code: 'UNCERTAIN', reason: 'content_type', suspectSession: false },
    ],
    ['200 and nothing', answer(200, ''), { code: 'UNCERTAIN', reason: 'cut' }],
    ['200 cut off', answer(200, '{"status":"o'), { code: 'UNCERTAIN', reason: 'cut' }],
    ['200 and another shape', answer(200, { status: 'queued' }), { code: 'UNCERTAIN', reason: 'shape' }],
    ["200 and another call's answer", answer(200, { status: 'not_exists' }), { code: 'UNCERTAIN', reason: 'shape' }],
  ])('%s is told apart', (_name, given, expected) => {
    expect(failure('add', given)).toMatchObject({ endpoint: 'add', sent: true, status: given.status, ...expected });
  });
});

describe('a read', () => {
  it.each([
    ['5xx', answer(500, PAGE), { reason: 'server_error', suspectSession: false }],
    ['a page with status 200', answer(200, PAGE), { reason: 'html', suspectSession: true }],
    ['a cut body', answer(200, '{"results":['), { reason: 'cut' }],
    ['a row without expiration', answer(200, { results: [{ username: 'a' }] }), { reason: 'shape' }],
    ['a date that is none', answer(200, { results: [{ username: 'a', expiration: 'soon' }] }), { reason: 'shape' }],
  ])('has nothing that could have been applied, so %s is UNAVAILABLE', (_name, given, expected) => {
    expect(failure('list_users', given)).toMatchObject({ code: 'UNAVAILABLE', ...expected });
  });

  it('says session death in the same words as a write', () => {
    expect(failure('details', answer(401, {}))).toMatchObject({ code: 'SESSION_EXPIRED', form: 'unauthorized' });
  });
});

describe('success', () => {
  it('is the status in the body, whichever of 200 and 201 carries it', () => {
    expect(readAnswer('add', answer(201, { status: 'ok' }), addAnswer, NOW)).toEqual({ status: 'ok' });
    expect(readAnswer('add', answer(200, { status: 'exists', more: 1 }), addAnswer, NOW)).toEqual({ status: 'exists' });
  });

  it('needs a 2xx: no other status is ever read as one, whatever the body says', () => {
    const status = fc.integer({ min: 300, max: 599 });
    const body = fc.oneof(fc.constant('{"status":"ok"}'), fc.json(), fc.string());
    const type = fc.constantFrom('application/json', 'text/html', '', 'text/plain');
    const endpoint = fc.constantFrom<keyof typeof SCHEMAS>('add', 'modify', 'remove', 'list_users');
    fc.assert(
      fc.property(status, body, type, endpoint, (code, text, contentType, called) => {
        const error = failure(called, {
          kind: 'answer',
          status: code,
          headers: { 'content-type': contentType },
          body: text,
        });
        if (code >= 500) expect(error.code).toBe(called === 'list_users' ? 'UNAVAILABLE' : 'UNCERTAIN');
        expect(error.sent).toBe(true);
      }),
    );
  });

  it('needs the documented body: no other 2xx body is ever read as one', () => {
    const body = fc.oneof(fc.json(), fc.string()).filter((text) => !/"status"\s*:\s*"(ok|exists)"/.test(text));
    fc.assert(
      fc.property(body, (text) => {
        expect(failure('add', answer(200, text, { 'content-type': 'application/json' })).code).toBe('UNCERTAIN');
      }),
    );
  });
});

describe('the upstream code', () => {
  it.each<[string, string | null]>([
    ['2FA_required', '2FA_required'],
    ['bad_pagination_request', 'bad_pagination_request'],
    ['a1b2c3d4e5f6', null],
    ['two words', null],
    ['x'.repeat(65), null],
  ])('%s is kept only where it cannot be a token', (code, expected) => {
    expect(failure('add', answer(400, { code })).upstreamCode).toBe(expected);
  });

  it('is absent where the body holds something else than text', () => {
    expect(failure('add', answer(400, { code: 7, detail: { a: 1 } }))).toMatchObject({
      code: 'BAD_REQUEST',
      upstreamCode: null,
    });
  });
});

it('an error names its endpoint, code and reason in its message', () => {
  const error = failure('remove' satisfies Endpoint, answer(502, PAGE));
  expect(error.message).toBe('remove: UNCERTAIN (server_error, status 502)');
  expect(error.name).toBe('TradingViewError');
});
