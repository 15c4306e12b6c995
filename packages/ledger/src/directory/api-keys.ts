import { LRUCache } from 'lru-cache';
import type { ApiKey, Directory } from '../directory-types.ts';
import type { DirectoryNames } from './directory-names.ts';
import type { DirectoryScripts } from './directory-scripts.ts';
import { formatKey, type KeyRecord, opens, parseKey } from './key-record.ts';
import { buildKeySecret, hashSecret, parseKeyId, sameHash } from './key-secret.ts';

const BELIEVED_MS = 5_000;
const USE_NOTED_MS = 60_000;
const REMEMBERED = 1_000;
const ADMIN: ApiKey = {
  id: 'admin',
  name: 'admin',
  scopes: ['read', 'write', 'admin'],
  createdAt: 0,
  expiresAt: null,
  ratePerSecond: null,
};

interface KnownKey {
  readonly readAt: number;
  readonly stored: Promise<KeyRecord | null>;
}

/** What `buildApiKeys` needs: `clock` in ms, monotonic; `now` for `createdAt`; the bootstrap key, which Redis never sees. */
export interface ApiKeysOptions {
  readonly clock: () => number;
  readonly now: () => number;
  readonly adminKey: string | null;
}

/** `Directory.keys`, and `forget` for what is remembered of them. */
export function buildApiKeys(
  scripts: DirectoryScripts,
  names: DirectoryNames,
  { clock, now, adminKey }: ApiKeysOptions,
): Directory['keys'] & { forget(): void } {
  const { redis } = scripts;
  const adminHash = adminKey === null ? null : hashSecret(adminKey);
  const known = new LRUCache<string, KnownKey>({ max: REMEMBERED });
  const usedAt = new LRUCache<string, number>({ max: REMEMBERED });

  function read(id: string): KnownKey['stored'] {
    const seen = known.get(id);
    if (seen && clock() - seen.readAt < BELIEVED_MS) return seen.stored;
    const entry = {
      readAt: clock(),
      stored: redis.hget(names.keys, id).then((text) => (text ? parseKey(id, text) : null)),
    };
    known.set(id, entry);
    entry.stored.catch(() => {
      if (known.peek(id) === entry) known.delete(id);
    });
    return entry.stored;
  }

  // To the minute: a write for each request would cost more than it tells. One that is lost is made up for by the next.
  function noteUse(id: string): void {
    if (clock() - (usedAt.get(id) ?? Number.NEGATIVE_INFINITY) < USE_NOTED_MS) return;
    usedAt.set(id, clock());
    redis.hset(names.keysUsed, id, now()).catch(() => {});
  }

  async function change(id: string, next: (record: KeyRecord) => KeyRecord): Promise<ApiKey | null> {
    for (;;) {
      const text = await redis.hget(names.keys, id);
      if (text === null) return null;
      const record = next(parseKey(id, text));
      const args = [id, text, formatKey(record)];
      const replaced = await scripts.run('replace-field', [names.keys], args);
      known.delete(id);
      if (replaced === 1) return record.key;
    }
  }

  return {
    async create(name, scopes, { expiresAt = null, ratePerSecond = null } = {}) {
      const { id, secret } = buildKeySecret();
      const key: ApiKey = { id, name, scopes: [...new Set(scopes)], createdAt: now(), expiresAt, ratePerSecond };
      await redis.hset(names.keys, id, formatKey({ key, hash: hashSecret(secret), previous: null }));
      return { key, secret };
    },
    async list() {
      const [stored, used] = await Promise.all([redis.hgetall(names.keys), redis.hgetall(names.keysUsed)]);
      const found = Object.entries(stored).map(([id, text]) => {
        const { key, previous } = parseKey(id, text);
        const overlapUntil = previous && previous.until > now() ? previous.until : null;
        return { ...key, lastUsedAt: used[id] === undefined ? null : Number(used[id]), overlapUntil };
      });
      return found.sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
    },
    change: (id, settings) => change(id, (record) => ({ ...record, key: { ...record.key, ...settings } })),
    async rotate(id, overlapMs) {
      const { secret } = buildKeySecret(id);
      const until = now() + overlapMs;
      const key = await change(id, ({ key: same, hash }) => ({
        key: same,
        hash: hashSecret(secret),
        previous: overlapMs > 0 ? { hash, until } : null,
      }));
      return key && { key, secret, overlapUntil: overlapMs > 0 ? until : null };
    },
    async remove(id) {
      const removed = (await redis.hdel(names.keys, id)) === 1;
      await redis.hdel(names.keysUsed, id);
      known.delete(id);
      return removed;
    },
    async verify(secret) {
      const hash = hashSecret(secret);
      if (adminHash && sameHash(hash, adminHash)) return ADMIN;
      const id = parseKeyId(secret);
      const stored = id === null ? null : await read(id);
      if (!stored || !opens(stored, hash, now())) return null;
      noteUse(stored.key.id);
      return stored.key;
    },
    forget: () => known.clear(),
  };
}
