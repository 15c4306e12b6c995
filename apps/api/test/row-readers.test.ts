import type { ParsedRow } from '@pinegate/access';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildCsvReader } from '../src/batches/csv-reader.ts';
import { buildNdjsonReader } from '../src/batches/ndjson-reader.ts';
import type { RowReader } from '../src/batches/row-reader.ts';

const NOW = Date.UTC(2026, 0, 1);
const SCRIPT = `PUB;${'a'.repeat(32)}`;
const HEADER = 'action,script,username,expires_at,duration,extend_by';

function read(reader: RowReader, pieces: readonly Buffer[]): { rows: ParsedRow[]; digests: string[] } {
  const rows: ParsedRow[] = [];
  const digests: string[] = [];
  const drain = () => {
    for (let row = reader.next(); row !== null; row = reader.next()) {
      rows.push(row);
      digests.push(reader.digest());
    }
  };
  for (const piece of pieces) {
    reader.feed(piece);
    drain();
  }
  reader.end();
  drain();
  digests.push(reader.digest());
  return { rows, digests };
}

const whole = (reader: RowReader, text: string) => read(reader, [Buffer.from(text)]);
const names = (rows: readonly ParsedRow[]) => rows.map((row) => (row.ok ? row.operation.username : row.code));

const AWKWARD_CSV = [
  `\uFEFF${HEADER}`,
  `grant,${SCRIPT},"al""ice",2030-01-01T00:00:00Z,,`,
  '',
  `revoke,${SCRIPT},"@bob"\r`,
  `grant,${SCRIPT},carol,lifetime,,\r`,
  `"grant","${SCRIPT}","da`,
  `ve","",30D,""`,
  `revoke,${SCRIPT},"er"in,,,`,
  `revoke,${SCRIPT},żółw,,,`,
  '   ',
  `revoke,${SCRIPT},frank,,,,,`,
  `revoke,${SCRIPT},"never closed,,,`,
  `revoke,${SCRIPT},last`,
].join('\n');

test('a CSV upload gives the same rows and hashes wherever its bytes are cut', () => {
  const bytes = Buffer.from(AWKWARD_CSV);
  const expected = read(buildCsvReader({}, NOW), [bytes]);
  expect(names(expected.rows)).toEqual([
    'invalid_username',
    'bob',
    'carol',
    'invalid_username',
    'invalid_row',
    'invalid_username',
    'invalid_row',
    'invalid_row',
    'last',
  ]);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
    expect(read(buildCsvReader({}, NOW), pieces)).toEqual(expected);
  }
  const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
  expect(read(buildCsvReader({}, NOW), single)).toEqual(expected);
});

test('an NDJSON upload gives the same rows and hashes wherever its bytes are cut', () => {
  const lines = [
    JSON.stringify({ action: 'revoke', script: SCRIPT, username: 'alice' }),
    '',
    `${JSON.stringify({ action: 'grant', script: SCRIPT, username: 'böb', expiresAt: null })}\r`,
    '{"action":',
    '[]',
    `{"x":"${'x'.repeat(20_000)}"}`,
    JSON.stringify({ action: 'revoke', script: SCRIPT, username: 'zoe' }),
  ];
  const bytes = Buffer.from(`\uFEFF${lines.join('\n')}`);
  const expected = read(buildNdjsonReader(NOW), [bytes]);
  expect(names(expected.rows)).toEqual([
    'alice',
    'invalid_username',
    'invalid_row',
    'invalid_row',
    'invalid_row',
    'zoe',
  ]);
  for (let cut = 0; cut <= bytes.length; cut += cut < 400 ? 1 : 137) {
    expect(read(buildNdjsonReader(NOW), [bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(expected);
  }
});

test('what csv-parse reads as a username, the CSV reader reads too', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', 'b', '"', ',', '\n', '\r\n', ' ', 'é'), maxLength: 8 });
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const table = fc.array(fc.tuple(cell, fc.constantFrom('\n', '\r\n')), { maxLength: 20 });
  fc.assert(
    fc.property(table, fc.nat(), (rows, seed) => {
      const text = `username,action,script\n${rows.map(([name, end]) => `${quoted(name)},revoke,${SCRIPT}${end}`).join('')}`;
      const cut = seed % (text.length + 1);
      const bytes = Buffer.from(text);
      const mine = read(buildCsvReader({}, NOW), [bytes.subarray(0, cut), bytes.subarray(cut)]).rows;
      const theirs = parse(bytes, { columns: true, record_delimiter: ['\n', '\r\n'] }) as { username: string }[];
      expect(mine).toHaveLength(theirs.length);
      for (const [at, { username }] of theirs.entries()) {
        const row = mine[at];
        if (row?.ok) expect(row.operation.username).toBe(username.trim());
        else expect(row?.detail).toContain(JSON.stringify(username.trim() || undefined) ?? 'missing');
      }
    }),
    { numRuns: 300 },
  );
});

test('a record that is too long costs one row, with and without quotes', () => {
  const long = 'x'.repeat(20_000);
  for (const bad of [`revoke,${SCRIPT},${long}`, `revoke,${SCRIPT},"${long}"`, `revoke,${SCRIPT},"${long}`]) {
    const text = `${HEADER}\n${bad}\nrevoke,${SCRIPT},after\n`;
    const bytes = Buffer.from(text);
    const expected = read(buildCsvReader({}, NOW), [bytes]);
    expect(names(expected.rows)).toEqual(['invalid_row', 'after']);
    for (const size of [1, 7, 1_000, 16_384]) {
      const pieces = [];
      for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
      expect(read(buildCsvReader({}, NOW), pieces)).toEqual(expected);
    }
  }
});

test('an unclosed quote costs its own line only', () => {
  const text = `${HEADER}\nrevoke,${SCRIPT},"open\nrevoke,${SCRIPT},one\nrevoke,${SCRIPT},two\n`;
  expect(names(whole(buildCsvReader({}, NOW), text).rows)).toEqual(['invalid_row', 'one', 'two']);
});

test('action and script of the address stand in for missing columns', () => {
  const { rows } = whole(buildCsvReader({ action: 'revoke', script: SCRIPT }, NOW), 'username\nalice\n\nbob\n');
  expect(rows.map((row) => row.ok && row.operation)).toEqual([
    { action: 'revoke', script: SCRIPT, username: 'alice' },
    { action: 'revoke', script: SCRIPT, username: 'bob' },
  ]);
});

test.each([
  ['grant,PUB;x,alice\n', 'unknown_column'],
  ['username,user_name\n', 'unknown_column'],
  ['username,username,action,script\n', 'duplicate_column'],
  ['action,script\n', 'missing_column'],
  ['username,script\n', 'missing_column'],
  [`${'x'.repeat(20_000)}\n`, 'unknown_column'],
])('a first line %j is refused as %s', (text, code) => {
  expect(() => whole(buildCsvReader({}, NOW), text)).toThrow(expect.objectContaining({ code }));
});
