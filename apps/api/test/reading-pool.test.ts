import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packRows, unpackRows } from '../src/batches/pack-rows.ts';
import { createReadingPool, type ReadingPool } from '../src/batches/reading-pool.ts';
import { BrokenBodyError, type RowChunk, readChunks } from '../src/batches/row-chunks.ts';
import { buildReader, type StreamFormat } from '../src/batches/stream-format.ts';

const NOW = Date.UTC(2026, 0, 1);
const SCRIPTS = [`PUB;${'a'.repeat(32)}`, `PUB;${'b'.repeat(32)}`];
const CSV: StreamFormat = { format: 'csv', defaults: {} };
const NDJSON: StreamFormat = { format: 'ndjson', defaults: {} };

let pool: ReadingPool;
beforeAll(() => {
  pool = createReadingPool(1);
});
afterAll(() => pool.close());

async function* piecesOf(text: string, size: number, end: 'whole' | 'broken' = 'whole') {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  if (end === 'broken') throw new BrokenBodyError(new Error('reset'));
  yield null;
}

async function collect(chunks: AsyncGenerator<RowChunk, unknown>): Promise<{ chunks: RowChunk[]; end: unknown }> {
  const found: RowChunk[] = [];
  for (;;) {
    const step = await chunks.next();
    if (step.done) return { chunks: found, end: step.value };
    found.push(step.value);
  }
}

const WHAT = ['2030-01-01T00:00:00Z,,', 'lifetime,,', ',30D,', ',,2M', '2020-01-01T00:00:00Z,,'];
const csvOf = (rows: number) =>
  [
    'action,script,username,expires_at,duration,extend_by',
    ...Array.from({ length: rows }, (_, i) =>
      i % 7 === 0 ? `revoke,${SCRIPTS[i % 2]},User${i},,,` : `grant,${SCRIPTS[i % 2]},user-${i},${WHAT[i % 5]}`,
    ),
  ].join('\n');

test('a thread gives the chunks, hashes and rejections that are read without one, wherever the bytes are cut', async () => {
  const text = csvOf(2_500);
  const reader = buildReader(CSV, NOW);
  const here = await collect(readChunks(piecesOf(text, 65_536), reader, 10_000));
  for (const size of [997, 65_536]) {
    const there = await collect(pool.read(piecesOf(text, size), { ...CSV, now: NOW, maxRows: 10_000 }));
    expect(there.chunks).toEqual(here.chunks);
    expect(there.end).toBe(reader.digest());
  }
});

test('a body that breaks off says so after the chunks before', async () => {
  const broken = pool.read(piecesOf(csvOf(2_500), 4_096, 'broken'), { ...CSV, now: NOW, maxRows: 10_000 });
  expect((await broken.next()).value).toMatchObject({ first: 1, last: false });
  expect((await broken.next()).value).toMatchObject({ first: 1_001, last: false });
  await expect(broken.next()).rejects.toBeInstanceOf(BrokenBodyError);
});

test('what spoils the whole body is the same problem as without a thread', async () => {
  const tooMany = pool.read(piecesOf(csvOf(12), 4_096), { ...CSV, now: NOW, maxRows: 10 });
  await expect(tooMany.next()).rejects.toMatchObject({ code: 'too_many_rows', members: { row: 10 } });
  const columns = pool.read(piecesOf('nonsense\n', 4_096), { ...CSV, now: NOW, maxRows: 10 });
  await expect(columns.next()).rejects.toMatchObject({ code: 'unknown_column' });
});

test('who wants no more chunks leaves the thread free for the next upload', async () => {
  const line = `${JSON.stringify({ action: 'revoke', script: SCRIPTS[0], username: 'ann' })}\n`;
  const order = { ...NDJSON, now: NOW, maxRows: 100_000 };
  for await (const chunk of pool.read(piecesOf(line.repeat(50_000), 65_536), order)) {
    expect(chunk.rows).toHaveLength(1_000);
    break;
  }
  const { chunks } = await collect(pool.read(piecesOf(line, 65_536), order));
  expect(chunks).toMatchObject([{ first: 1, last: true, rows: [{ ok: true }] }]);
});

test('rows are unpacked as they were packed', () => {
  const duration = fc.record({
    amount: fc.integer({ min: 1, max: 9_999 }),
    unit: fc.constantFrom('Y' as const, 'M' as const, 'W' as const, 'D' as const),
  });
  const until = fc.oneof(
    fc.record({ kind: fc.constant('date' as const), expiresAt: fc.integer({ min: NOW, max: 253_402_300_799_999 }) }),
    fc.constant({ kind: 'lifetime' as const }),
    fc.record({ kind: fc.constantFrom('duration' as const, 'extend' as const), duration }),
  );
  const access = { script: fc.constantFrom(...SCRIPTS), username: fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/) };
  const row = fc.oneof(
    fc
      .oneof(
        fc.record({ action: fc.constant('grant' as const), ...access, until }),
        fc.record({ action: fc.constant('revoke' as const), ...access }),
      )
      .map((operation) => ({ ok: true as const, operation })),
    fc.string().map((detail) => ({ ok: false as const, code: 'invalid_row' as const, field: null, detail })),
  );
  fc.assert(
    fc.property(fc.array(row), (rows) => {
      expect(unpackRows(packRows(rows), rows.length)).toEqual(rows);
    }),
  );
});
