import { describe, expect, it } from 'vitest';
import { buildRequestHeaders } from '../src/request-headers.ts';

const SITE = 'https://www.tradingview.com';

function asObject(flat: readonly string[] | undefined): Record<string, string> {
  const pairs = flat?.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] ?? '']] : [])) ?? [];
  return Object.fromEntries(pairs);
}

describe('request headers', () => {
  const headers = buildRequestHeaders('agent/1');

  it('name the site as origin and referer and carry both cookies', () => {
    expect(asObject(headers.forSession({ sessionid: 'abc', sessionidSign: 'v1:def=' })?.get)).toEqual({
      origin: SITE,
      referer: SITE,
      'x-requested-with': 'XMLHttpRequest',
      'user-agent': 'agent/1',
      cookie: 'sessionid=abc; sessionid_sign=v1:def=',
    });
  });

  it.each([undefined, null, ''])('leave out a sign cookie that is %j', (sessionidSign) => {
    const session = sessionidSign === undefined ? { sessionid: 'abc' } : { sessionid: 'abc', sessionidSign };
    expect(asObject(headers.forSession(session)?.post)).toMatchObject({
      cookie: 'sessionid=abc',
      'content-type': 'application/x-www-form-urlencoded',
    });
  });

  it('carry no cookie where none is needed', () => {
    expect(asObject(headers.anonymousGet)).not.toHaveProperty('cookie');
    expect(asObject(headers.anonymousPost)).not.toHaveProperty('cookie');
  });

  it('are built once for a session', () => {
    const session = { sessionid: 'abc' };
    expect(headers.forSession(session)).toBe(headers.forSession(session));
  });

  it.each(['', 'a;b', 'a b', 'a\r\nx-evil: 1', 'a"b', 'é'])('are refused for the cookie %j', (sessionid) => {
    expect(headers.forSession({ sessionid })).toBeNull();
    expect(headers.forSession({ sessionid: 'ok', sessionidSign: sessionid || ' ' })).toBeNull();
  });

  it('look like a browser unless told otherwise', () => {
    expect(asObject(buildRequestHeaders().anonymousGet)['user-agent']).toMatch(/^Mozilla\/5\.0 /);
  });
});
