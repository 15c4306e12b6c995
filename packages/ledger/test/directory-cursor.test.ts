import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatBatchCursor, parseBatchCursor } from '../src/directory/batch-cursor.ts';

test('a cursor gives its number back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 999_999_999_999_999 }), (number) => {
      expect(parseBatchCursor(formatBatchCursor(`${number}`))).toBe(`${number}`);
    }),
  );
});

test('any other text is refused', () => {
  const ours = new Set(Array.from({ length: 100 }, (_, i) => formatBatchCursor(`${i}`)));
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
      fc.pre(!ours.has(text));
      expect(() => parseBatchCursor(text)).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }));
    }),
  );
});

test.each(['0', '-1', '01', '1 ', '1e3', '+inf', '1000000000000000'])('the number %j is refused', (number) => {
  expect(() => parseBatchCursor(formatBatchCursor(number))).toThrow(
    expect.objectContaining({ code: 'CURSOR_INVALID' }),
  );
});

test('a cursor with something after it is refused', () => {
  expect(() => parseBatchCursor(`${formatBatchCursor('12')}=`)).toThrow(
    expect.objectContaining({ code: 'CURSOR_INVALID' }),
  );
});
