import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeGrant, encodeListFilter, encodeSignIn, encodeTarget, parseExpiration } from '../src/form-body.ts';

const SCRIPT = 'PUB;0123456789abcdef0123456789abcdef';
const AT = Date.UTC(2026, 9, 1);

describe('a form body', () => {
  it('writes ; as %3B and a date in UTC with milliseconds', () => {
    expect(encodeGrant({ script: SCRIPT, username: 'Alice', expiresAt: AT })).toBe(
      'pine_id=PUB%3B0123456789abcdef0123456789abcdef&username_recip=Alice&expiration=2026-10-01T00%3A00%3A00.000Z',
    );
  });

  it('leaves the expiration out for a lifetime, and the username out of a whole list', () => {
    expect(encodeGrant({ script: SCRIPT, username: 'a', expiresAt: null })).not.toContain('expiration');
    expect(encodeListFilter(SCRIPT, undefined)).toBe('pine_id=PUB%3B0123456789abcdef0123456789abcdef');
    expect(encodeListFilter(SCRIPT, 'a')).toContain('&username=a');
  });

  it('is read back by a form parser as what was put in, whatever the text', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, text, fc.integer({ min: 0, max: 4e12 }), (script, username, expiresAt) => {
        const fields = [...new URLSearchParams(encodeGrant({ script, username, expiresAt }))];
        const expiration = new Date(expiresAt).toISOString();
        expect(fields).toEqual([
          ['pine_id', script.toWellFormed()],
          ['username_recip', username.toWellFormed()],
          ['expiration', expiration],
        ]);
        expect([...new URLSearchParams(encodeSignIn(username, script))].map(([name]) => name)).toEqual([
          'username',
          'password',
          'remember',
        ]);
      }),
    );
  });

  it('takes half a surrogate pair', () => {
    expect(encodeTarget({ script: 's', username: '\ud800' })).toBe('pine_id=s&username_recip=%EF%BF%BD');
  });

  it('refuses a date that is no time', () => {
    expect(() => encodeGrant({ script: 's', username: 'u', expiresAt: Number.NaN })).toThrow(RangeError);
  });
});

describe('an expiration read back', () => {
  it.each([
    ['2026-10-01T00:00:00+00:00', AT],
    ['2026-10-01T00:00:00Z', AT],
    ['2026-10-01T02:00:00+02:00', AT],
    ['2026-10-01T00:00:00.123456+00:00', AT + 123],
  ])('%s is a time', (text, expected) => {
    expect(parseExpiration(text)).toBe(expected);
  });

  it.each(['2026', '2026-10-01', '2026-10-01T00:00:00', '1 Oct 2026', '2026-13-01T00:00:00Z', ''])(
    '%j is not',
    (text) => {
      expect(parseExpiration(text)).toBeNaN();
    },
  );

  it('survives being written and read, to the millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), (at) => {
        expect(parseExpiration(new Date(at).toISOString())).toBe(at);
      }),
    );
  });
});
