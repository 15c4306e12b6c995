import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseOperation, type RowCode } from '../src/index.ts';

const SCRIPT = `PUB;${'0123456789abcdef'.repeat(2)}`;
const now = Date.parse('2026-06-01T00:00:00Z');
const grant = (rest: object) => ({ action: 'grant', script: SCRIPT, username: 'Alice', ...rest });
const revoke = (rest: object) => ({ action: 'revoke', script: SCRIPT, username: 'Alice', ...rest });

function untilOf(rest: object): unknown {
  const row = parseOperation(grant(rest), now);
  if (!row.ok) return row.code;
  return row.operation.action === 'grant' ? row.operation.until : 'a revoke';
}

function refusalOf(raw: unknown): [RowCode, string | null] | 'accepted' {
  const row = parseOperation(raw, now);
  return row.ok ? 'accepted' : [row.code, row.field];
}

describe('parseOperation accepts', () => {
  test('a revoke, with the username cleaned', () => {
    expect(parseOperation(revoke({ username: ' @Alice ' }), now)).toEqual({
      ok: true,
      operation: { action: 'revoke', script: SCRIPT, username: 'Alice' },
    });
  });

  test.each([
    [{ expiresAt: '2026-10-01T00:00:00Z' }, Date.UTC(2026, 9, 1)],
    [{ expiresAt: '2026-10-01T00:00:00.250Z' }, Date.UTC(2026, 9, 1, 0, 0, 0, 250)],
    [{ expiresAt: '2026-10-01T00:00:00.2Z' }, Date.UTC(2026, 9, 1, 0, 0, 0, 200)],
    [{ expiresAt: '2026-10-01T00:00:00.123456789Z' }, Date.UTC(2026, 9, 1, 0, 0, 0, 123)],
    [{ expiresAt: '2026-10-01T01:30:00+02:00' }, Date.UTC(2026, 8, 30, 23, 30)],
    [{ expiresAt: '2026-10-01T01:30:00-05:45' }, Date.UTC(2026, 9, 1, 7, 15)],
    [{ expiresAt: '2026-10-01T01:30:00+0200' }, Date.UTC(2026, 8, 30, 23, 30)],
    [{ expiresAt: '2026-10-01T01:30Z' }, Date.UTC(2026, 9, 1, 1, 30)],
    [{ expiresAt: '2028-02-29T00:00:00Z' }, Date.UTC(2028, 1, 29)],
    [{ expiresAt: '9999-12-31T23:59:59.999Z' }, Date.UTC(9999, 11, 31, 23, 59, 59, 999)],
    [{ expiresAt: '2026-06-01T00:00:00.001Z' }, now + 1],
  ])('a grant until a date: %j', (rest, expiresAt) => {
    expect(untilOf(rest)).toEqual({ kind: 'date', expiresAt });
  });

  test('a lifetime, as an explicit null or as 1L', () => {
    expect(untilOf({ expiresAt: null })).toEqual({ kind: 'lifetime' });
    expect(untilOf({ duration: '1L' })).toEqual({ kind: 'lifetime' });
  });

  test('a duration and an extension', () => {
    expect(untilOf({ duration: '30D' })).toEqual({ kind: 'duration', duration: { amount: 30, unit: 'D' } });
    expect(untilOf({ extendBy: '1M' })).toEqual({ kind: 'extend', duration: { amount: 1, unit: 'M' } });
  });

  test('a field that is undefined as absent', () => {
    expect(untilOf({ expiresAt: undefined, duration: '1Y', extendBy: undefined })).toMatchObject({ kind: 'duration' });
    expect(refusalOf(revoke({ expiresAt: undefined }))).toBe('accepted');
  });
});

describe('parseOperation refuses', () => {
  test.each([[null], [undefined], [1], ['grant'], [true], [[]], [[grant({})]]])(
    'a row that is no object: %j',
    (raw) => {
      expect(refusalOf(raw)).toEqual(['invalid_row', null]);
    },
  );

  test('an unknown field, by name', () => {
    expect(refusalOf(grant({ expires_at: '2026-10-01T00:00:00Z' }))).toEqual(['unknown_field', 'expires_at']);
    expect(refusalOf(revoke({ note: null }))).toEqual(['unknown_field', 'note']);
    expect(refusalOf(JSON.parse(`{"__proto__":{},"action":"revoke","script":"${SCRIPT}","username":"a"}`))).toEqual([
      'unknown_field',
      '__proto__',
    ]);
    expect(refusalOf(grant({ toString: 1, expiresAt: null }))).toEqual(['unknown_field', 'toString']);
  });

  test.each([[undefined], [null], ['Grant'], ['add'], [1], ['']])('the action %j', (action) => {
    expect(refusalOf({ ...revoke({}), action })).toEqual(['invalid_action', 'action']);
  });

  test.each([[undefined], [null], [1], [''], ['PUB;xyz'], [` ${SCRIPT}`], [[SCRIPT]]])('the script %j', (script) => {
    expect(refusalOf(revoke({ script }))).toEqual(['invalid_script', 'script']);
  });

  test.each([[undefined], [null], [1], [''], ['a b'], [['Alice']], [{}]])('the username %j', (username) => {
    expect(refusalOf(revoke({ username }))).toEqual(['invalid_username', 'username']);
  });

  test('a grant without an expiry, and one with two', () => {
    const date = '2026-10-01T00:00:00Z';
    expect(refusalOf(grant({}))).toEqual(['expiry_missing', null]);
    expect(refusalOf(grant({ expiresAt: undefined }))).toEqual(['expiry_missing', null]);
    expect(refusalOf(grant({ expiresAt: null, duration: '1L' }))).toEqual(['expiry_ambiguous', null]);
    expect(refusalOf(grant({ expiresAt: date, extendBy: null }))).toEqual(['expiry_ambiguous', null]);
    expect(refusalOf(grant({ duration: '1M', extendBy: '1M' }))).toEqual(['expiry_ambiguous', null]);
    expect(refusalOf(grant({ expiresAt: date, duration: '1M', extendBy: '1M' }))).toEqual(['expiry_ambiguous', null]);
  });

  test('a revoke with an expiry, even a null one', () => {
    expect(refusalOf(revoke({ expiresAt: null }))).toEqual(['expiry_not_allowed', 'expiresAt']);
    expect(refusalOf(revoke({ duration: null }))).toEqual(['expiry_not_allowed', 'duration']);
    expect(refusalOf(revoke({ extendBy: '1M' }))).toEqual(['expiry_not_allowed', 'extendBy']);
  });

  test.each([
    ['2026-10-01'],
    ['2026-10-01T00:00:00'],
    ['2026-10-01 00:00:00Z'],
    ['2026-02-30T00:00:00Z'],
    ['2027-02-29T00:00:00Z'],
    ['2100-02-29T00:00:00Z'],
    ['2026-13-01T00:00:00Z'],
    ['2026-00-01T00:00:00Z'],
    ['2026-10-00T00:00:00Z'],
    ['2026-10-32T00:00:00Z'],
    ['2026-10-01T24:00:00Z'],
    ['2026-10-01T23:60:00Z'],
    ['2026-10-01T23:59:60Z'],
    ['2026-10-01T00:00:00.Z'],
    ['2026-10-01T00:00:00+24:00'],
    ['2026-10-01T00:00:00+02:60'],
    ['2026-10-01T00:00:00 +02:00'],
    ['2026-10-01T00:00:00Z '],
    ['2026-10-01T00:00:00Z\n'],
    ['2026-10-01t00:00:00z'],
    ['+12026-10-01T00:00:00Z'],
    ['10000-01-01T00:00:00Z'],
    ['9999-12-31T23:59:59-01:00'],
    ['0026-10-01T00:00:00Z'],
    ['20261001T000000Z'],
    ['1790000000'],
    ['lifetime'],
    ['null'],
    [''],
    [1_790_000_000_000],
    [true],
    [{}],
    ['9'.repeat(100_000)],
  ])('the expiry %j', (expiresAt) => {
    expect(refusalOf(grant({ expiresAt }))).toEqual(['invalid_expiry', 'expiresAt']);
  });

  test('a date that is not in the future', () => {
    expect(refusalOf(grant({ expiresAt: '2026-06-01T00:00:00Z' }))).toEqual(['expiry_in_past', 'expiresAt']);
    expect(refusalOf(grant({ expiresAt: '2026-06-01T01:00:00+01:00' }))).toEqual(['expiry_in_past', 'expiresAt']);
    expect(refusalOf(grant({ expiresAt: '1969-01-01T00:00:00Z' }))).toEqual(['expiry_in_past', 'expiresAt']);
  });

  test.each([
    [null],
    [30],
    [''],
    ['30'],
    ['30d'],
    ['0D'],
    ['10000D'],
    ['7974Y'],
    ['2L'],
    ['L'],
    ['1H'],
    [' 1D'],
    [['1D']],
  ])('the duration %j, also as an extension', (value) => {
    expect(refusalOf(grant({ duration: value }))).toEqual(['invalid_duration', 'duration']);
    expect(refusalOf(grant({ extendBy: value }))).toEqual(['invalid_duration', 'extendBy']);
  });

  test('an extension by a lifetime', () => {
    expect(refusalOf(grant({ extendBy: '1L' }))).toEqual(['invalid_duration', 'extendBy']);
  });

  test('a duration only when it leaves the calendar', () => {
    expect(refusalOf(grant({ duration: '7973Y' }))).toBe('accepted');
    expect(refusalOf(grant({ extendBy: '9999M' }))).toBe('accepted');
  });
});

describe('parseOperation', () => {
  const field = fc.constantFrom('action', 'script', 'username', 'expiresAt', 'duration', 'extendBy', 'x');
  const value = fc.oneof(
    fc.constantFrom('grant', 'revoke', SCRIPT, 'Alice', '30D', '2027-01-01T00:00:00Z', null),
    fc.jsonValue(),
  );
  const rows = fc.oneof(fc.jsonValue(), fc.dictionary(field, value), fc.dictionary(fc.string(), value));

  test('never throws, and what it accepts is clean', () => {
    fc.assert(
      fc.property(rows, (raw) => {
        const row = parseOperation(raw, now);
        if (row.ok) {
          expect(row.operation.script).toBe(SCRIPT);
          expect(row.operation.username).toMatch(/^[A-Za-z0-9_.-]{1,64}$/);
        } else {
          expect(row.detail).toMatch(/^[A-Z a-z].*\.$/s);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  test('reads back any date of the calendar in any zone', () => {
    const dates = fc.integer({ min: now + 1, max: Date.UTC(9998, 0, 1) });
    const offsets = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });
    const two = (n: number) => String(n).padStart(2, '0');
    fc.assert(
      fc.property(dates, offsets, (expiresAt, offset) => {
        const local = new Date(expiresAt + offset * 60_000).toISOString().slice(0, -1);
        const minutes = Math.abs(offset);
        const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
        expect(untilOf({ expiresAt: local + zone })).toEqual({ kind: 'date', expiresAt });
      }),
    );
  });

  test('never repeats more than 100 characters of the input', () => {
    const huge = ['x'.repeat(5_000), '\u0000'.repeat(5_000), '"'.repeat(5_000), '\ud800'.repeat(5_000)];
    for (const text of huge) {
      const refused = [
        { [text]: 1 },
        { ...revoke({}), action: text },
        revoke({ script: text }),
        revoke({ username: text }),
        grant({ expiresAt: text }),
        grant({ duration: text }),
        grant({ extendBy: text }),
      ];
      for (const raw of refused) {
        const row = parseOperation(raw, now);
        if (row.ok) throw new Error('accepted');
        expect(row.detail.length).toBeLessThan(300);
        expect((row.field ?? '').length).toBeLessThanOrEqual(60);
        expect(row.detail).not.toContain(text.slice(0, 101));
      }
    }
  });

  test('names the field and shows what it found', () => {
    const row = parseOperation(grant({ expiresAt: '2026-02-30T00:00:00Z' }), now);
    expect(row).toMatchObject({ detail: expect.stringContaining('expiresAt must be a real date') });
    expect(row).toMatchObject({ detail: expect.stringContaining('"2026-02-30T00:00:00Z"') });
  });
});
