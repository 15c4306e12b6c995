import { LRUCache } from 'lru-cache';
import type { ApiKey, Directory, Scope } from '../directory-types.ts';
import type { DirectoryNames } from './directory-names.ts';
import type { DirectoryScripts } from './directory-scripts.ts';
import { buildKeySecret, hashSecret, parseKeyId, sameHash } from './key-secret.ts';

const BELIEVED_MS = 5_000;
const REMEMBERED = 1_000;
const ADMIN: ApiKey = { id: 'admin', name: 'admin', scopes: ['read', 'write', 'admin'], createdAt: 0 };

interface KnownKey {
  readonly readAt: number;
  readonly stored: Promise<{ readonly key: ApiKey; readonly hash: Buffer } | null>;
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

  return {
    async create(name, scopes) {
      const { id, secret } = buildKeySecret();
      const key: ApiKey = { id, name, scopes: [...new Set(scopes)], createdAt: now() };
      await redis.hset(names.keys, id, formatKey(key, hashSecret(secret)));
      return { key, secret };
    },
    async list() {
      const stored = Object.entries(await redis.hgetall(names.keys)).map(([id, text]) => parseKey(id, text).key);
      return stored.sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
    },
    async remove(id) {
      const removed = (await redis.hdel(names.keys, id)) === 1;
      known.delete(id);
      return removed;
    },
    async verify(secret) {
      const hash = hashSecret(secret);
      if (adminHash && sameHash(hash, adminHash)) return ADMIN;
      const id = parseKeyId(secret);
      const stored = id === null ? null : await read(id);
      return stored && sameHash(hash, stored.hash) ? stored.key : null;
    },
    forget: () => known.clear(),
  };
}

function formatKey({ name, scopes, createdAt }: ApiKey, hash: Buffer): string {
  return JSON.stringify({ name, scopes, createdAt, hash: hash.toString('base64url') });
}

function parseKey(id: string, text: string): { key: ApiKey; hash: Buffer } {
  const { name, scopes, createdAt, hash } = JSON.parse(text) as {
    name: string;
    scopes: readonly Scope[];
    createdAt: number;
    hash: string;
  };
  return { key: { id, name, scopes, createdAt }, hash: Buffer.from(hash, 'base64url') };
}
