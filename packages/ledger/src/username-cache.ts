import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from '@pinegate/runtime';
import { LRUCache } from 'lru-cache';
import { type CachedName, formatCachedName, parseCachedName } from './usernames/cached-name.ts';
import { buildLookUpLock } from './usernames/look-up-lock.ts';
import { lookUpOnce } from './usernames/single-flight.ts';

const HOUR_MS = 3_600_000;
const LOCK_MS = 10_000;

/** How to open the cache of usernames. */
export interface UsernameCacheOptions {
  /** The caller's connection, which stays its to close. */
  readonly redis: Redis;
  /** Keys are `<ns>:name:<lower-case name>`, without a hash tag: they spread over a cluster. */
  readonly ns: string;
  /** How long a spelling is believed; 24 h. */
  readonly hitMs?: number;
  /** How long it is believed that there is no such user; 5 min. */
  readonly missMs?: number;
  /** Names kept in memory; 50,000. */
  readonly memoryEntries?: number;
  /** false while Redis is too full to cache in: memory alone is used then. */
  readonly shouldStore?: () => boolean;
  /** Told of every name asked for, for metrics. */
  readonly onResult?: (result: CacheResult) => void;
  /** Stand-ins for tests: ms since 1970, and the pause between two looks at what another process stores. */
  readonly now?: () => number;
  readonly pause?: (ms: number) => Promise<void>;
}

/** What came of asking for a name: a hit may also say that there is no such user; `unavailable` = Redis did not answer. */
export type CacheResult = 'hit_memory' | 'hit_redis' | 'miss' | 'unavailable';

/** Spellings of usernames, in memory over Redis. Names are compared without case. Redis errors never reach the caller. */
export interface UsernameCache {
  get(name: string): Promise<CachedName | null>;
  /** In the order of `names`. */
  getMany(names: readonly string[]): Promise<readonly (CachedName | null)[]>;
  /** As `getMany`, for who waits for an answer and looks again: `onResult` hears nothing of it. */
  lookAgain(names: readonly string[]): Promise<readonly (CachedName | null)[]>;
  /** `canonical` null = no such user. */
  put(name: string, canonical: string | null): Promise<void>;
  /**
   * What is known of the name, or else what `fetch` answers, which one process at a time asks. An error of `fetch` reaches all that wait in
   * this process and is not remembered.
   */
  lookUp(name: string, fetch: () => Promise<string | null>): Promise<CachedName>;
  /** Drops what is held in memory. */
  close(): void;
}

/** Opens the cache of usernames. Does nothing yet. */
export function openUsernameCache(options: UsernameCacheOptions): UsernameCache {
  const { redis, ns, hitMs = 24 * HOUR_MS, missMs = HOUR_MS / 12, memoryEntries = 50_000 } = options;
  const { shouldStore = () => true, onResult = () => {}, now = Date.now, pause = (ms) => delay(ms) } = options;
  const memory = new LRUCache<string, CachedName>({ max: memoryEntries });
  const flights = new Map<string, Promise<CachedName>>();
  const lock = buildLookUpLock(redis, LOCK_MS);

  const keyOf = (lower: string) => `${ns}:name:${lower}`;
  const lifeOf = ({ canonical }: CachedName) => (canonical === null ? missMs : hitMs);
  const fresh = (entry: CachedName) => now() - entry.checkedAt < lifeOf(entry);

  function fromMemory(lower: string): CachedName | null {
    const entry = memory.get(lower);
    return entry && fresh(entry) ? entry : null;
  }

  async function fromRedis(lower: string): Promise<CachedName | null> {
    const text = await redis.get(keyOf(lower));
    const entry = text === null ? null : parseCachedName(text);
    if (!entry || !fresh(entry)) return null;
    memory.set(lower, entry);
    return entry;
  }

  async function peek(name: string): Promise<CachedName | null> {
    const lower = name.toLowerCase();
    return fromMemory(lower) ?? (await fromRedis(lower).catch(() => null));
  }

  async function store(lower: string, canonical: string | null): Promise<CachedName> {
    const entry = { canonical, checkedAt: now() };
    memory.set(lower, entry);
    try {
      if (shouldStore()) await redis.set(keyOf(lower), formatCachedName(entry), 'PX', lifeOf(entry));
      // What is there may say otherwise, and other processes would go on believing it.
      else await redis.unlink(keyOf(lower));
    } catch {
      // Other processes look it up themselves.
    }
    return entry;
  }

  async function get(name: string): Promise<CachedName | null> {
    const lower = name.toLowerCase();
    const held = fromMemory(lower);
    if (held) {
      onResult('hit_memory');
      return held;
    }
    try {
      const stored = await fromRedis(lower);
      onResult(stored ? 'hit_redis' : 'miss');
      return stored;
    } catch {
      onResult('unavailable');
      return null;
    }
  }

  async function find(name: string, fetch: () => Promise<string | null>): Promise<CachedName> {
    const lower = name.toLowerCase();
    const known = await get(name);
    if (known) return known;
    return lookUpOnce({
      lock,
      lockKey: `${keyOf(lower)}:lock`,
      read: () => fromRedis(lower).catch(() => null),
      ask: async () => store(lower, await fetch()),
      pause,
      clock: now,
    });
  }

  return {
    get,
    // Calls of one turn share a packet (and a pipeline for each node, where the connection pipelines by itself).
    getMany: (names) => Promise.all(names.map(get)),
    lookAgain: (names) => Promise.all(names.map(peek)),
    async put(name, canonical) {
      await store(name.toLowerCase(), canonical);
    },
    lookUp(name, fetch) {
      const lower = name.toLowerCase();
      const flying = flights.get(lower);
      if (flying) return flying;
      const flight = find(name, fetch).finally(() => flights.delete(lower));
      flights.set(lower, flight);
      return flight;
    },
    close: () => memory.clear(),
  };
}
