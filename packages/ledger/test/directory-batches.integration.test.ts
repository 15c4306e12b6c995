import { openRedis } from '@pinegate/runtime';
import { afterAll, describe, expect, inject, test } from 'vitest';
import type { Directory } from '../src/index.ts';
import { openTestDirectory, RETENTION_MS } from './directory-fixture.ts';

const redis = openRedis(inject('redisUrl'), 'shared');
afterAll(() => redis.quit());

const rejection = (row: number, code = 'invalid_row') => ({ row, code, detail: `row ${row}` });

async function page(directory: Directory, limit: number): Promise<string[][]> {
  const pages: string[][] = [];
  let cursor: string | null = null;
  do {
    const { items, next } = await directory.batches.list(cursor, limit);
    pages.push(items.map(({ id }) => id));
    cursor = next;
  } while (cursor !== null);
  return pages;
}

describe('a batch', () => {
  test('begins as receiving and is read as it was written', async () => {
    const { directory, time } = openTestDirectory(redis);
    await directory.batches.create('b1', 'key-1');
    expect(await directory.batches.get('b1')).toEqual({
      id: 'b1',
      acceptRevokes: true,
      source: 'key-1',
      lane: null,
      accounts: [],
      upload: 'receiving',
      cancelled: false,
      rows: 0,
      rejected: 0,
      createdAt: time.now,
    });
    await directory.batches.addPart('b1', 'zeta', 'bulk');
    await directory.batches.addPart('b1', 'acme', 'bulk');
    await directory.batches.addPart('b1', 'zeta', 'bulk');
    await directory.batches.setUpload('b1', 'complete', 7);
    expect(await directory.batches.get('b1')).toMatchObject({
      lane: 'bulk',
      accounts: ['acme', 'zeta'],
      upload: 'complete',
      rows: 7,
    });
  });

  test('is made once: a second create changes nothing', async () => {
    const { directory, time } = openTestDirectory(redis);
    await directory.batches.create('b1', 'key-1');
    await directory.batches.setUpload('b1', 'complete', 3);
    const made = await directory.batches.get('b1');
    time.now += 5_000;
    await directory.batches.create('b1', 'key-2');
    expect(await directory.batches.get('b1')).toEqual(made);
    expect(await page(directory, 10)).toEqual([['b1']]);
  });

  test('never loses rows to a smaller number', async () => {
    const { directory } = openTestDirectory(redis);
    await directory.batches.create('b1', 'key-1');
    await directory.batches.setUpload('b1', 'interrupted', 2_000);
    await directory.batches.setUpload('b1', 'receiving', 0);
    expect(await directory.batches.get('b1')).toMatchObject({ upload: 'receiving', rows: 2_000 });
  });

  test('that is cancelled says so, again and again', async () => {
    const { directory } = openTestDirectory(redis);
    await directory.batches.create('b1', 'key-1');
    expect(await directory.batches.cancel('b1')).toMatchObject({ id: 'b1', cancelled: true });
    expect(await directory.batches.cancel('b1')).toMatchObject({ cancelled: true });
  });

  test('that does not exist cannot be written to', async () => {
    const { directory } = openTestDirectory(redis);
    const unknown = { name: 'DirectoryError', code: 'BATCH_UNKNOWN', batch: 'b1' };
    await expect(directory.batches.addPart('b1', 'acme', 'bulk')).rejects.toMatchObject(unknown);
    await expect(directory.batches.checkpoint('b1', { row: 1, hash: 'h' })).rejects.toMatchObject(unknown);
    await expect(directory.batches.reject('b1', [rejection(1)])).rejects.toMatchObject(unknown);
    await expect(directory.batches.setUpload('b1', 'complete', 1)).rejects.toMatchObject(unknown);
    expect(await directory.batches.cancel('b1')).toBeNull();
    expect(await directory.batches.renewUpload('b1')).toBe(false);
    expect(await directory.batches.keep('b1')).toBe(false);
    await directory.batches.expire('b1');
    expect(await directory.batches.get('b1')).toBeNull();
    expect(await page(directory, 10)).toEqual([[]]);
  });
});

describe('an upload', () => {
  test('that nobody renews for ten seconds reads as interrupted, also in the list', async () => {
    const { directory, time } = openTestDirectory(redis);
    await directory.batches.create('b1', 'key-1');
    time.now += 9_999;
    expect(await directory.batches.get('b1')).toMatchObject({ upload: 'receiving' });
    time.now += 1;
    expect(await directory.batches.get('b1')).toMatchObject({ upload: 'interrupted' });
    expect((await directory.batches.list(null, 1)).items).toMatchObject([{ upload: 'interrupted' }]);
    expect(await directory.batches.cancel('b1')).toMatchObject({ upload: 'interrupted' });
  });

  test('lives ten seconds from each renewal', async () => {
    const { directory, time } = openTestDirectory(redis);
    await directory.batches.create('b1', 'key-1');
    time.now += 8_000;
    expect(await directory.batches.renewUpload('b1')).toBe(true);
    time.now += 9_999;
    expect(await directory.batches.get('b1')).toMatchObject({ upload: 'receiving' });
    time.now += 1;
    expect(await directory.batches.get('b1')).toMatchObject({ upload: 'interrupted' });
  });

  test('that is resumed is receiving again', async () => {
    const { directory, time } = openTestDirectory(redis);
    await directory.batches.create('b1', 'key-1');
    time.now += 60_000;
    await directory.batches.setUpload('b1', 'receiving', 0);
    time.now += 9_999;
    expect(await directory.batches.get('b1')).toMatchObject({ upload: 'receiving' });
  });

  test('that has ended cannot be renewed', async () => {
    const { directory, time } = openTestDirectory(redis);
    await directory.batches.create('b1', 'key-1');
    await directory.batches.setUpload('b1', 'complete', 1);
    expect(await directory.batches.renewUpload('b1')).toBe(false);
    time.now += 60_000;
    expect(await directory.batches.get('b1')).toMatchObject({ upload: 'complete' });
  });
});

describe('checkpoints', () => {
  test('come back in order', async () => {
    const { directory } = openTestDirectory(redis);
    await directory.batches.create('b1', 'key-1');
    for (const row of [10_000, 1_000, 2_000]) await directory.batches.checkpoint('b1', { row, hash: `h${row}` });
    await directory.batches.checkpoint('b1', { row: 1_000, hash: 'h1000' });
    expect(await directory.batches.checkpoints('b1')).toEqual([
      { row: 1_000, hash: 'h1000' },
      { row: 2_000, hash: 'h2000' },
      { row: 10_000, hash: 'h10000' },
    ]);
  });

  test('stand: another hash for the same row is refused', async () => {
    const { directory } = openTestDirectory(redis);
    await directory.batches.create('b1', 'key-1');
    await directory.batches.checkpoint('b1', { row: 1_000, hash: 'first' });
    await expect(directory.batches.checkpoint('b1', { row: 1_000, hash: 'second' })).rejects.toMatchObject({
      code: 'CHECKPOINT_DIFFERS',
      batch: 'b1',
      row: 1_000,
    });
    expect(await directory.batches.checkpoints('b1')).toEqual([{ row: 1_000, hash: 'first' }]);
  });
});

describe('rejections', () => {
  test('are kept once per row; the first verdict stands', async () => {
    const { directory } = openTestDirectory(redis);
    await directory.batches.create('b1', 'key-1');
    await directory.batches.reject('b1', [rejection(12), rejection(3)]);
    await directory.batches.reject('b1', [
      rejection(3, 'unknown_script'),
      rejection(8),
      rejection(8, 'unknown_script'),
    ]);
    await directory.batches.reject('b1', []);
    expect(await directory.batches.rejections('b1', 100)).toEqual([rejection(3), rejection(8), rejection(12)]);
    expect(await directory.batches.rejections('b1', 2)).toEqual([rejection(3), rejection(8)]);
    expect(await directory.batches.get('b1')).toMatchObject({ rejected: 3 });
    expect(await directory.batches.rejectedRows('b1')).toEqual(new Set([3, 8, 12]));
  });

  test('are counted right when two requests store them at once', async () => {
    const { directory } = openTestDirectory(redis);
    await directory.batches.create('b1', 'key-1');
    const rows = Array.from({ length: 500 }, (_, i) => rejection(i + 1));
    await Promise.all([directory.batches.reject('b1', rows), directory.batches.reject('b1', rows)]);
    expect(await directory.batches.get('b1')).toMatchObject({ rejected: 500 });
    expect(await directory.batches.rejections('b1', 1_000)).toEqual(rows);
  });

  test('beyond ten thousand are counted and known by their rows', async () => {
    const { directory } = openTestDirectory(redis);
    await directory.batches.create('b1', 'key-1');
    for (let from = 1; from <= 11_000; from += 1_000) {
      await directory.batches.reject(
        'b1',
        Array.from({ length: 1_000 }, (_, i) => rejection(from + i)),
      );
    }
    await directory.batches.reject('b1', [rejection(10_500, 'unknown_script'), rejection(1_000_000)]);
    expect(await directory.batches.get('b1')).toMatchObject({ rejected: 11_001 });
    expect(await directory.batches.rejections('b1', 20_000)).toHaveLength(10_000);
    const rows = await directory.batches.rejectedRows('b1');
    expect(rows.size).toBe(11_001);
    for (const row of [1, 11_000, 1_000_000]) expect(rows.has(row)).toBe(true);
    for (const row of [0, 11_001, 999_999]) expect(rows.has(row)).toBe(false);
  });

  test('of a batch without any are none', async () => {
    const { directory } = openTestDirectory(redis);
    await directory.batches.create('b1', 'key-1');
    expect(await directory.batches.rejections('b1', 100)).toEqual([]);
    expect(await directory.batches.rejectedRows('b1')).toEqual(new Set());
  });
});

describe('the list of batches', () => {
  test('is paged newest first, though all were made in one millisecond', async () => {
    const { directory } = openTestDirectory(redis);
    for (const id of ['a', 'c', 'b', 'e', 'd']) await directory.batches.create(id, 'key-1');
    expect(await page(directory, 2)).toEqual([['d', 'e'], ['b', 'c'], ['a']]);
    expect(await page(directory, 5)).toEqual([['d', 'e', 'b', 'c', 'a']]);
  });

  test('does not shift under a reader when a batch is added', async () => {
    const { directory } = openTestDirectory(redis);
    for (const id of ['a', 'b', 'c']) await directory.batches.create(id, 'key-1');
    const { next } = await directory.batches.list(null, 2);
    await directory.batches.create('d', 'key-1');
    expect((await directory.batches.list(next, 2)).items.map(({ id }) => id)).toEqual(['a']);
  });

  test('leaves out what has expired, and goes on behind it', async () => {
    const { directory, ns } = openTestDirectory(redis);
    for (const id of ['a', 'b', 'c', 'd', 'e']) await directory.batches.create(id, 'key-1');
    const { next } = await directory.batches.list(null, 2);
    for (const id of ['d', 'c', 'b']) await redis.del(`{${ns}}:batch:${id}`);
    expect(await directory.batches.list(next, 1)).toMatchObject({ items: [{ id: 'a' }], next: null });
    expect(await page(directory, 10)).toEqual([['e', 'a']]);
    expect(await redis.zcard(`{${ns}}:batches`)).toBe(2);
  });

  test('stays short though nobody reads it', async () => {
    const { directory, ns } = openTestDirectory(redis);
    for (let i = 0; i < 200; i += 1) {
      await directory.batches.create(`b${i}`, 'key-1');
      await redis.del(`{${ns}}:batch:b${i}`);
    }
    expect(await redis.zcard(`{${ns}}:batches`)).toBeLessThan(20);
  });

  test('refuses a cursor that is not its own', async () => {
    const { directory } = openTestDirectory(redis);
    await expect(directory.batches.list('rubbish', 10)).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
  });
});

describe('retention', () => {
  async function withEverything() {
    const opened = openTestDirectory(redis);
    const { batches } = opened.directory;
    await batches.create('b1', 'key-1');
    await batches.addPart('b1', 'acme', 'bulk');
    await batches.checkpoint('b1', { row: 1, hash: 'h' });
    await batches.reject('b1', [rejection(1)]);
    await batches.setUpload('b1', 'complete', 1);
    const keys = ['', ':checkpoints', ':rejections', ':rejected-rows'].map((end) => `{${opened.ns}}:batch:b1${end}`);
    const left = () => Promise.all(keys.map((key) => redis.pttl(key)));
    return { ...opened, batches, keys, left };
  }

  test('does not run before it is started, then holds all that belongs to the batch', async () => {
    const { batches, left } = await withEverything();
    expect(await left()).toEqual([-1, -1, -1, -1]);
    await batches.expire('b1');
    for (const ms of await left()) {
      expect(ms).toBeGreaterThan(RETENTION_MS - 60_000);
      expect(ms).toBeLessThanOrEqual(RETENTION_MS);
    }
  });

  test('is not begun anew by a second call', async () => {
    const { batches, keys, left } = await withEverything();
    await batches.expire('b1');
    for (const key of keys) await redis.pexpire(key, 60_000);
    await batches.expire('b1');
    for (const ms of await left()) expect(ms).toBeLessThanOrEqual(60_000);
  });

  test('ends when the upload goes on or the batch is tried again', async () => {
    const { batches, left } = await withEverything();
    const goesOn = [
      () => batches.keep('b1'),
      () => batches.addPart('b1', 'other', 'bulk'),
      () => batches.setUpload('b1', 'receiving', 1),
      () => batches.renewUpload('b1'),
      () => batches.setUpload('b1', 'complete', 1),
    ];
    for (const go of goesOn) {
      await batches.expire('b1');
      await go();
      expect(await left()).toEqual([-1, -1, -1, -1]);
    }
    expect(await batches.keep('b1')).toBe(true);
  });
});
