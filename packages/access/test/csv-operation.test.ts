import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCsvOperation, parseOperation } from '../src/index.ts';

const SCRIPT = `PUB;${'0123456789abcdef'.repeat(2)}`;
const now = Date.parse('2026-06-01T00:00:00Z');
const row = (cells: Record<string, string>) =>
  parseCsvOperation({ action: 'grant', script: SCRIPT, username: 'Alice', ...cells }, now);

describe('parseCsvOperation', () => {
  test('takes an empty cell as an absent value and trims the others', () => {
    const cells = { action: ' grant ', script: ` ${SCRIPT}\t`, expires_at: '', duration: ' 30D ', extend_by: '  ' };
    expect(row(cells)).toEqual({
      ok: true,
      operation: {
        action: 'grant',
        script: SCRIPT,
        username: 'Alice',
        until: { kind: 'duration', duration: { amount: 30, unit: 'D' } },
      },
    });
  });

  test.each(['lifetime', 'LIFETIME', ' Lifetime '])('reads %j as a lifetime', (expires_at) => {
    expect(row({ expires_at })).toMatchObject({ ok: true, operation: { until: { kind: 'lifetime' } } });
  });

  test('takes an empty expires_at as no expiry, not as a lifetime', () => {
    expect(row({ expires_at: '' })).toMatchObject({ ok: false, code: 'expiry_missing', field: null });
    expect(row({})).toMatchObject({ ok: false, code: 'expiry_missing' });
  });

  test('a revoke needs no expiry columns and takes no expiry', () => {
    expect(row({ action: 'revoke', expires_at: '' })).toMatchObject({ ok: true });
    expect(row({ action: 'revoke', expires_at: 'lifetime' })).toMatchObject({
      code: 'expiry_not_allowed',
      field: 'expires_at',
    });
  });

  test('reports columns by their CSV names', () => {
    expect(row({ expires_at: '2026-10-01' })).toMatchObject({ code: 'invalid_expiry', field: 'expires_at' });
    expect(row({ expires_at: 'null' })).toMatchObject({ code: 'invalid_expiry', field: 'expires_at' });
    expect(row({ expires_at: '2020-10-01T00:00:00Z' })).toMatchObject({ code: 'expiry_in_past', field: 'expires_at' });
    expect(row({ extend_by: '1L' })).toMatchObject({ code: 'invalid_duration', field: 'extend_by' });
    expect(row({ duration: '1D', extend_by: '1D' })).toMatchObject({ code: 'expiry_ambiguous' });
    expect(row({ expires_at: 'lifetime', extend_by: '1D' })).toMatchObject({ code: 'expiry_ambiguous' });
    expect(row({ script: '', expires_at: 'lifetime' })).toMatchObject({ code: 'invalid_script', field: 'script' });
    expect(row({ username: ' ', expires_at: 'lifetime' })).toMatchObject({
      code: 'invalid_username',
      field: 'username',
    });
    expect(row({ action: '' })).toMatchObject({ code: 'invalid_action', field: 'action' });
  });

  test('refuses a column of another name where it holds something', () => {
    expect(row({ expires: '2026-10-01T00:00:00Z' })).toMatchObject({ code: 'unknown_field', field: 'expires' });
    expect(row({ expiresAt: '2026-10-01T00:00:00Z' })).toMatchObject({ code: 'unknown_field', field: 'expiresAt' });
    expect(row({ '': ' ', duration: '1D' })).toMatchObject({ ok: true });
  });

  test('agrees with the JSON form', () => {
    const text = fc.constantFrom(
      '',
      'grant',
      'revoke',
      SCRIPT,
      'Alice',
      '@Alice',
      '1L',
      '30D',
      '2027-01-01T00:00:00Z',
      'x y',
    );
    const cells = fc.record({
      action: text,
      script: text,
      username: text,
      expires_at: text,
      duration: text,
      extend_by: text,
    });
    const present = (value: string) => (value === '' ? undefined : value);
    fc.assert(
      fc.property(cells, (csv) => {
        const json = {
          action: present(csv.action),
          script: present(csv.script),
          username: present(csv.username),
          expiresAt: present(csv.expires_at),
          duration: present(csv.duration),
          extendBy: present(csv.extend_by),
        };
        const [a, b] = [parseCsvOperation(csv, now), parseOperation(json, now)];
        expect(a.ok ? a.operation : a.code).toEqual(b.ok ? b.operation : b.code);
      }),
      { numRuns: 3_000 },
    );
  });
});
