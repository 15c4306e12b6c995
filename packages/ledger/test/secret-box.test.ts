import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DirectoryError } from '../src/directory/directory-error.ts';
import { buildSecretBox } from '../src/directory/secret-box.ts';

const current = randomBytes(32);
const previous = randomBytes(32);

function codeOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error instanceof DirectoryError ? error.code : error;
  }
  return 'nothing thrown';
}

test('what is sealed opens again, for the same account', () => {
  const box = buildSecretBox(current);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(box.open('acme', box.seal('acme', text))).toEqual({ text, stale: false });
    }),
  );
});

test('the same text is sealed differently each time and never shows', () => {
  const box = buildSecretBox(current);
  const sealed = Array.from({ length: 100 }, () => box.seal('acme', 'canary-cookie'));
  expect(new Set(sealed.map((text) => text.split('.')[2])).size).toBe(100);
  expect(sealed.join()).not.toContain('canary-cookie');
  expect(sealed.join()).not.toContain(Buffer.from('canary-cookie').toString('base64url').slice(0, 10));
});

test('another account cannot open it', () => {
  const box = buildSecretBox(current);
  expect(codeOf(() => box.open('other', box.seal('acme', 'x')))).toBe('SECRET_KEY_WRONG');
});

test('the previous key still opens, and says so', () => {
  const sealed = buildSecretBox(previous).seal('acme', 'x');
  expect(buildSecretBox(current, previous).open('acme', sealed)).toEqual({ text: 'x', stale: true });
  expect(codeOf(() => buildSecretBox(current).open('acme', sealed))).toBe('SECRET_KEY_WRONG');
});

test('a key that is both current and previous counts as current', () => {
  const box = buildSecretBox(current, Buffer.from(current));
  expect(box.open('acme', box.seal('acme', 'x')).stale).toBe(false);
});

test('a sealed text that was changed in any place does not open', () => {
  const box = buildSecretBox(current);
  const sealed = box.seal('acme', 'a session of some length');
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), fc.constantFrom(...'.AZaz09'), (at, letter) => {
      const changed = sealed.slice(0, at) + letter + sealed.slice(at + 1);
      // The last letter of base64url holds unused bits: another letter may stand for the same bytes.
      fc.pre(changed !== sealed && at !== sealed.length - 1);
      expect(codeOf(() => box.open('acme', changed))).toBe('SECRET_KEY_WRONG');
    }),
  );
});

test.each(['', '1', '1..', 'rubbish', '1.00000000.AAAA.AAAA'])('%j does not open', (text) => {
  expect(codeOf(() => buildSecretBox(current).open('acme', text))).toBe('SECRET_KEY_WRONG');
});

test.each([0, 16, 31, 33])('a key of %i bytes is refused', (bytes) => {
  expect(codeOf(() => buildSecretBox(Buffer.alloc(bytes)))).toBe('SECRET_KEY_INVALID');
  expect(codeOf(() => buildSecretBox(current, Buffer.alloc(bytes)))).toBe('SECRET_KEY_INVALID');
});
