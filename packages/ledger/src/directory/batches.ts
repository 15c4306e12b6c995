import type { BatchRecord, Directory, Rejection } from '../directory-types.ts';
import { formatBatchCursor, parseBatchCursor } from './batch-cursor.ts';
import { parseBatch } from './batch-record.ts';
import { DirectoryError } from './directory-error.ts';
import type { DirectoryNames } from './directory-names.ts';
import type { DirectoryScripts } from './directory-scripts.ts';

/** How long an upload counts as alive after it was last renewed. */
const HOLD_MS = 10_000;
const KEPT_REJECTIONS = 10_000;

type Args = readonly (string | number)[];
type ListReply = readonly [items: readonly (string | readonly string[])[], last: string | null];

/** `Directory.batches`. */
export function buildBatches(
  scripts: DirectoryScripts,
  names: DirectoryNames,
  retentionMs: number,
): Directory['batches'] {
  const { redis } = scripts;
  const run = (script: string, id: string, args: Args = []) => scripts.run(script, names.batch(id), args);
  const write = async (script: string, id: string, args: Args) => {
    const reply = await run(script, id, args);
    if (reply === null) throw new DirectoryError('BATCH_UNKNOWN', `There is no batch ${id}.`, { batch: id });
    return reply;
  };
  const record = (id: string, reply: unknown) => (reply ? parseBatch(id, reply as readonly string[]) : null);

  return {
    async create(id, source, { acceptRevokes } = { acceptRevokes: true }) {
      const keys = [names.batch(id)[0], names.batches, names.batchNumber];
      await scripts.run('batch-create', keys, [id, source, HOLD_MS, names.batch('')[0], acceptRevokes ? 1 : 0]);
    },
    get: async (id) => record(id, await run('batch-get', id)),
    async addPart(id, account, lane) {
      await write('batch-add-part', id, [account, lane]);
    },
    renewUpload: async (id) => (await run('batch-renew-upload', id, [HOLD_MS])) === 1,
    async checkpoint(id, { row, hash }) {
      if ((await write('batch-checkpoint', id, [row, hash])) === 1) return;
      throw new DirectoryError('CHECKPOINT_DIFFERS', `Other bytes came before row ${row}.`, { batch: id, row });
    },
    async checkpoints(id) {
      const stored = Object.entries(await redis.hgetall(names.batch(id)[1]));
      return stored.map(([row, hash]) => ({ row: Number(row), hash })).sort((a, b) => a.row - b.row);
    },
    async reject(id, rejections) {
      if (rejections.length === 0) return;
      const pairs = rejections.flatMap(({ row, code, detail }) => [row, JSON.stringify({ row, code, detail })]);
      await write('batch-reject', id, [KEPT_REJECTIONS, rejections.length, ...pairs]);
    },
    async rejectedRows(id) {
      return rowsOf(await redis.getBuffer(names.batch(id)[3]));
    },
    async rejections(id, limit) {
      const stored = await redis.zrange(names.batch(id)[2], 0, String(limit - 1));
      return stored.map((text) => JSON.parse(text) as Rejection);
    },
    async setUpload(id, upload, rows) {
      await write('batch-set-upload', id, [upload, rows, HOLD_MS]);
    },
    cancel: async (id) => record(id, await run('batch-cancel', id)),
    async list(cursor, limit) {
      const bound = cursor === null ? '+inf' : `(${parseBatchCursor(cursor)}`;
      const [entries, last] = (await scripts.run(
        'batch-list',
        [names.batches],
        [bound, limit, names.batch('')[0]],
      )) as ListReply;
      const items: BatchRecord[] = [];
      for (let i = 0; i < entries.length; i += 2) {
        items.push(parseBatch(entries[i] as string, entries[i + 1] as readonly string[]));
      }
      return { items, next: last ? formatBatchCursor(last) : null };
    },
    async expire(id) {
      await run('batch-expire', id, [retentionMs]);
    },
    keep: async (id) => (await run('batch-keep', id)) === 1,
  };
}

// Row n is bit n, counted from the highest bit of the first byte.
function rowsOf(bits: Buffer | null): Set<number> {
  const rows = new Set<number>();
  for (const [index, byte] of (bits ?? Buffer.alloc(0)).entries()) {
    if (byte === 0) continue;
    for (let bit = 0; bit < 8; bit += 1) if (byte & (0x80 >> bit)) rows.add(index * 8 + bit);
  }
  return rows;
}
