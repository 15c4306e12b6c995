import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanUsername, isPineId } from '../src/index.ts';

const names = fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/);

describe('cleanUsername', () => {
  test.each([
    'Some_User.1-x',
    '@Some_User.1-x',
    '  Some_User.1-x\t\r\n',
    '\uFEFFSome_User.1-x',
    '\u00A0@Some_User.1-x\u00A0',
    '\u200BSome_User\u200D.1-x\u2060',
    '\u202ASome_User.1-x\u202C',
    'https://www.tradingview.com/u/Some_User.1-x/',
    'https://www.tradingview.com/u/Some_User.1-x',
    'http://tradingview.com/u/Some_User.1-x/',
    'https://de.tradingview.com/u/Some_User.1-x/#published-scripts',
    'https://www.tradingview.com/u/Some_User.1-x/?locale=de&x=1#a',
    'https://www.tradingview.com/u/Some_User.1-x#published-scripts',
    'HTTPS://WWW.TRADINGVIEW.COM/u/Some_User.1-x/',
    'www.tradingview.com/u/Some_User.1-x/',
    '//in.tradingview.com/u/Some_User.1-x/ideas/',
    ' tradingview.com/u/Some_User.1-x\u200B ',
  ])('finds the name in %j', (text) => {
    expect(cleanUsername(text)).toBe('Some_User.1-x');
  });

  test.each([
    '',
    ' ',
    '@',
    '@@name',
    '@ name',
    'two words',
    'two\u00A0words',
    'näme',
    'name!',
    'a/b',
    'a'.repeat(65),
    `@${'a'.repeat(65)}`,
    'https://www.tradingview.com/u/',
    'https://www.tradingview.com/u//x',
    'https://www.tradingview.com/script/abc/',
    'https://example.com/u/name/',
    'https://www.tradingview.com.example.com/u/name/',
    'https://nottradingview.com/u/name/',
    'https://name@www.tradingview.com/u/name/',
    'ftp://www.tradingview.com/u/name/',
    'x https://www.tradingview.com/u/name/',
    'https://www.tradingview.com/u/na me/',
    'name\u0000',
    ' '.repeat(5_000),
  ])('finds none in %j', (text) => {
    expect(cleanUsername(text)).toBeNull();
  });

  test('keeps every valid name, bare or dressed', () => {
    const dressed = fc.constantFrom(
      (name: string) => name,
      (name: string) => `@${name}`,
      (name: string) => `\u200B ${name}\uFEFF`,
      (name: string) => `https://www.tradingview.com/u/${name}/`,
      (name: string) => `https://de.tradingview.com/u/${name}?x=@other#y`,
    );
    fc.assert(
      fc.property(names, dressed, (name, dress) => {
        expect(cleanUsername(dress(name))).toBe(name);
      }),
    );
  });

  test('gives a valid name or null for any text, and cleaning again changes nothing', () => {
    const piece = fc.constantFrom(
      '@',
      ' ',
      '\u200B',
      '\uFEFF',
      'https://',
      'www.',
      'tradingview.com',
      '/u/',
      'ab',
      '/',
      '#',
      '?',
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 8 }).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const cleaned = cleanUsername(text);
        if (cleaned === null) return;
        expect(cleaned).toMatch(/^[A-Za-z0-9_.-]{1,64}$/);
        expect(cleanUsername(cleaned)).toBe(cleaned);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('isPineId', () => {
  const id = `PUB;${'0123456789abcdef'.repeat(2)}`;

  test('accepts PUB; and 32 lower-case hex digits', () => {
    expect(isPineId(id)).toBe(true);
  });

  test.each([
    id.toUpperCase(),
    id.slice(0, -1),
    `${id}0`,
    ` ${id}`,
    `${id}\n`,
    id.replace('PUB;', 'pub;'),
    id.replace('PUB;', 'USER;'),
    id.replace(';', '%3B'),
    id.replace('f', 'g'),
    '',
  ])('refuses %j', (text) => {
    expect(isPineId(text)).toBe(false);
  });
});
