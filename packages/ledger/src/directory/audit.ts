import type { Redis } from '@pinegate/runtime';
import type { Page } from '../types.ts';
import { type AuditEntry, type AuditRecord, formatAuditEntry, parseAuditEntry } from './audit-entry.ts';
import { DirectoryError } from './directory-error.ts';
import type { DirectoryNames } from './directory-names.ts';

/** Entries that are kept; the oldest go first. */
export const AUDIT_ENTRIES = 100_000;

const STEP = 500;
// A narrow filter is searched in bounded steps: a page may be short and still have a `next`.
const MOST_STEPS = 20;
const STREAM_ID = /^\d{1,15}-\d{1,20}$/;

/** What a list of entries is narrowed to; all of it must hold. Times in ms, both ends included. */
export interface AuditFilter {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly target?: string | undefined;
  readonly result?: string | undefined;
}

/** Who did what when: a stream that only grows, capped at `AUDIT_ENTRIES`. */
export interface AuditLog {
  /**
   * Before an action whose entry must not be missing, since what only removes works in a full Redis too. Rejects with the OOM of Redis where
   * it has no room.
   */
  expectRoom(): Promise<void>;
  /** The caller sees to it that no secret is in it. */
  write(entry: AuditEntry): Promise<void>;
  /** Newest first. A page may be short, or empty, and still have a `next`. Errors: `DirectoryError` `CURSOR_INVALID`. */
  list(filter: AuditFilter, cursor: string | null, limit: number): Promise<Page<AuditRecord>>;
}

/** `Directory.audit`. */
export function buildAudit(redis: Redis, names: DirectoryNames): AuditLog {
  return {
    async expectRoom() {
      // Writes nothing, and is refused as whatever may write.
      await redis.setrange(names.room, 0, '');
    },
    async write(entry) {
      await redis.xadd(names.audit, 'MAXLEN', '~', AUDIT_ENTRIES, '*', 'entry', formatAuditEntry(entry));
    },
    async list(filter, cursor, limit) {
      if (cursor !== null && !STREAM_ID.test(cursor)) {
        throw new DirectoryError('CURSOR_INVALID', 'The cursor is none of the audit.');
      }
      const items: AuditRecord[] = [];
      const from = filter.from ?? '-';
      let end = cursor === null ? String(filter.to ?? '+') : `(${cursor}`;
      for (let step = 0; step < MOST_STEPS; step++) {
        const found = await redis.xrevrange(names.audit, end, from, 'COUNT', STEP);
        for (const [id, fields] of found) {
          const record = parseAuditEntry(id, fields[1] ?? '{}');
          if (!matches(record, filter)) continue;
          items.push(record);
          if (items.length === limit) return { items, next: id };
        }
        const last = found.at(-1)?.[0];
        if (last === undefined || found.length < STEP) return { items, next: null };
        end = `(${last}`;
      }
      return { items, next: end.slice(1) };
    },
  };
}

function matches(record: AuditRecord, { actor, action, target, result }: AuditFilter): boolean {
  return (
    (actor === undefined || record.actor === actor) &&
    (action === undefined || record.action === action) &&
    (target === undefined || record.target === target) &&
    (result === undefined || record.result === result)
  );
}
