import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatCachedName, parseCachedName } from '../src/usernames/cached-name.ts';

test('what is written is read again', () => {
  const canonical = fc.option(fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/));
  fc.assert(
    fc.property(canonical, fc.nat(), (name, checkedAt) => {
      const entry = { canonical: name, checkedAt };
      expect(parseCachedName(formatCachedName(entry))).toEqual(entry);
    }),
  );
});

test.each(['', 'x', ':', ':Name', '12', '12:two words', '{"canonical":"x"}'])('%j is read as nothing', (text) => {
  expect(parseCachedName(text)).toBeNull();
});
